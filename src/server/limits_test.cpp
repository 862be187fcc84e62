// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>
#include <future>
#include <vector>

#include "ratls/server.h"
#include "server/upstream.h"
#include "support/fake_attester.h"
#include "support/tls_client.h"

// What becomes of clients for which there is no place or no time.
namespace ratls {
namespace {

using ratls::testing::Answer;
using ratls::testing::connect_to;
using ratls::testing::fake_attester;
using ratls::testing::TlsClient;
using ratls::testing::TlsClientOptions;
using server::UpstreamAddress;
using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class Limits : public ::testing::Test {
 protected:
  void serve(ServerOptions options) {
    options.port = 0;
    options.threads = 1;
    server_ = std::make_unique<Server>(options);
    server_->route("GET", "/", [](const Request&) { return Response::text("here"); })
        .route("GET", "/slow", [this](const Request&) {
          slow_has_begun_.set_value();
          slow_may_end_.get_future().wait();
          return Response::text("slow");
        });
    ASSERT_TRUE(server_->start(fake_attester()).has_value());
  }
  std::uint16_t port() const { return server_->port(); }

  std::promise<void> slow_has_begun_;
  std::promise<void> slow_may_end_;
  std::unique_ptr<Server> server_;
};

void expect_no_place(TlsClient& client) {
  ASSERT_TRUE(client.connected());
  const Answer answer = client.ask(kGet);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.header("retry-after"), "1");
  EXPECT_TRUE(client.is_ended());
}

TEST_F(Limits, TellWhoHasWaitedTooLong) {
  serve({.max_connections = 1, .max_queued = 1, .queue_timeout = seconds(1)});
  TlsClient first(port());
  EXPECT_EQ(first.ask(kGet).status, 200);
  TlsClient second(port());
  expect_no_place(second);
  EXPECT_EQ(first.ask(kGet).status, 200);
}

TEST_F(Limits, TellAtOnceWhenTheQueueIsFull) {
  serve({.max_connections = 1, .max_queued = 0, .queue_timeout = std::chrono::hours(1)});
  TlsClient first(port());
  EXPECT_EQ(first.ask(kGet).status, 200);
  TlsClient second(port());
  expect_no_place(second);
}

TEST_F(Limits, ServeWhoWaitsInTheOrderOfArrival) {
  serve({.max_connections = 1, .max_queued = 2, .queue_timeout = std::chrono::hours(1)});
  auto first = std::make_unique<TlsClient>(port());
  EXPECT_EQ(first->ask(kGet).status, 200);
  const int second = connect_to(port());
  const int third = connect_to(port());
  first.reset();
  auto later = std::make_unique<TlsClient>(port(), TlsClientOptions{.socket = second});
  EXPECT_EQ(later->ask(kGet).status, 200);
  later.reset();
  later = std::make_unique<TlsClient>(port(), TlsClientOptions{.socket = third});
  EXPECT_EQ(later->ask(kGet).status, 200);
}

TEST_F(Limits, QueueAsManyAsTheyShould) {
  constexpr int kQueued = 100;
  serve({.max_connections = 1, .max_queued = kQueued, .queue_timeout = std::chrono::hours(1)});
  auto first = std::make_unique<TlsClient>(port());
  EXPECT_EQ(first->ask(kGet).status, 200);
  std::vector<Descriptor> others;
  while (others.size() < kQueued - 1) others.emplace_back(connect_to(port()));
  const int last = connect_to(port());
  first.reset();
  others.clear();
  EXPECT_EQ(TlsClient(port(), {.socket = last}).ask(kGet).status, 200);
}

TEST_F(Limits, LetWhoHasConnectedAskOnceWhenStopped) {
  serve({});
  TlsClient slow(port());
  slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  slow_has_begun_.get_future().wait();
  // The only worker is busy: this one is in the kernel's queue when the server is told to stop.
  const int waiting = connect_to(port());
  ASSERT_GE(waiting, 0);
  auto stopped = std::async([this] { server_->stop(); });
  slow_may_end_.set_value();
  EXPECT_EQ(slow.read_answer().body, "slow");
  TlsClient late(port(), {.socket = waiting});
  ASSERT_TRUE(late.connected());
  const Answer answer = late.ask(kGet);
  EXPECT_EQ(answer.body, "here");
  EXPECT_TRUE(late.is_ended());
  stopped.get();
  EXPECT_LT(connect_to(port()), 0);
}

TEST_F(Limits, StopInSpiteOfWhoSaysNothing) {
  serve({.drain_timeout = std::chrono::hours(1)});
  const TlsClient silent(port());
  ASSERT_TRUE(silent.connected());
  const int more_silent = connect_to(port());
  server_->stop();
  ::close(more_silent);
}

TEST_F(Limits, StopDropsWhoStillWaits) {
  serve(
      {.max_connections = 1, .queue_timeout = std::chrono::hours(1), .drain_timeout = seconds(0)});
  TlsClient first(port());
  EXPECT_EQ(first.ask(kGet).status, 200);
  const int waiting = connect_to(port());
  server_->stop();
  char byte = 0;
  EXPECT_LE(::recv(waiting, &byte, 1, 0), 0);
  ::close(waiting);
}

/// BodyRate has an app whose queue takes connections and that says nothing, so that it is the
/// client who is waited for.
class BodyRate : public ::testing::Test {
 protected:
  void serve(ServerOptions options) {
    ASSERT_EQ(::bind(listener_.get(), app_.data(), app_.size()), 0);
    ASSERT_EQ(::listen(listener_.get(), 8), 0);
    options.port = 0;
    server_ = std::make_unique<Server>(options);
    ASSERT_TRUE(server_->forward_to(app_.text()).has_value());
    ASSERT_TRUE(server_->start(fake_attester()).has_value());
    client_ = std::make_unique<TlsClient>(server_->port());
    client_->send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  }
  ~BodyRate() override { std::filesystem::remove(path_); }

  /// is_answered_within sends parts until there is an answer, or so many.
  bool is_answered_within(int parts, std::string_view part) {
    pollfd answered{client_->fd(), POLLIN, 0};
    for (int count = 0; count < parts; ++count) {
      client_->send(part);
      if (::poll(&answered, 1, 50) == 1) return true;
    }
    return false;
  }

  const std::string path_ = "/tmp/ratls-body-rate-" + std::to_string(::getpid()) + ".sock";
  const UpstreamAddress app_ = UpstreamAddress::unix_socket(path_).value();
  const Descriptor listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::unique_ptr<Server> server_;
  std::unique_ptr<TlsClient> client_;
};

TEST_F(BodyRate, EndsAClientThatTrickles) {
  serve({.request_timeout = seconds(1)});
  ASSERT_TRUE(is_answered_within(400, "x"));
  const Answer answer = client_->read_answer();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST_F(BodyRate, LetsAClientBeFastEnough) {
  serve({.request_timeout = seconds(1), .min_body_rate = 1});
  EXPECT_FALSE(is_answered_within(80, "xxxxxxxxxx"));
}

}  // namespace
}  // namespace ratls
