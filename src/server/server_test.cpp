// SPDX-License-Identifier: Apache-2.0
#include "ratls/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <stdexcept>
#include <thread>

#include "server/builtin_routes.h"
#include "support/fake_attester.h"
#include "support/tls_client.h"

namespace ratls {
namespace {

using nlohmann::json;
using ratls::testing::Answer;
using ratls::testing::fake_attester;
using ratls::testing::TlsClient;
using ratls::testing::TlsClientOptions;
using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class ServerTest : public ::testing::Test {
 protected:
  /// serve starts a server with the built-in routes and some for tests.
  void serve(ServerOptions options = {}) {
    options.port = 0;
    server_ = std::make_unique<Server>(options);
    add_builtin_routes(*server_);
    server_
        ->route("POST", "/echo",
                [](const Request& request) {
                  return Response{200, {}, request.body};
                })
        .route("GET", "/large",
               [this](const Request&) {
                 return Response{200, {}, large_};
               })
        .route("GET", "/empty",
               [](const Request&) {
                 return Response{204, {}, ""};
               })
        .route("GET", "/peer", [](const Request& request) { return Response::text(request.peer); })
        .route("GET", "/throws", [](const Request&) -> Response { throw std::runtime_error("x"); })
        .route("GET", "/slow", [this](const Request&) {
          ++slow_calls_;
          slow_may_end_.get_future().wait();
          return Response::text("slow");
        });
    ASSERT_TRUE(server_->start(fake_attester()).has_value());
  }
  std::uint16_t port() const { return server_->port(); }

  std::string large_ = std::string(1 << 20, 'l') + "end";
  std::atomic<int> slow_calls_{0};
  std::promise<void> slow_may_end_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersBuiltinRoutes) {
  serve();
  TlsClient client(port());
  ASSERT_TRUE(client.connected());
  const Answer greeting = client.ask(kGet);
  EXPECT_EQ(greeting.status, 200);
  EXPECT_EQ(json::parse(greeting.body), json({{"message", "Hello World"}}));
  EXPECT_EQ(greeting.header("content-type"), "application/json");
  EXPECT_EQ(greeting.header("server"), "");
  EXPECT_NE(greeting.header("date"), "");

  const Answer headers =
      client.ask("GET /get_headers HTTP/1.1\r\nHost: h\r\nX-Two: a\r\nx-two: b\r\n\r\n");
  EXPECT_EQ(json::parse(headers.body), json({{"headers", {{"host", "h"}, {"x-two", "a, b"}}}}));
}

Answer post(TlsClient& client, const std::string& path, const std::string& body) {
  return client.ask("POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
}

TEST_F(ServerTest, LogsTheMessageOfABody) {
  serve();
  TlsClient client(port());
  ::testing::internal::CaptureStderr();
  const Answer answer = post(client, "/log_body", R"({"message": "two\nlines"})");
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body), json({{"message", "Success"}}));
  EXPECT_NE(logged.find(" a client says text=two\\nlines\n"), std::string::npos);
}

TEST_F(ServerTest, ExplainsBodiesItCannotLog) {
  serve();
  TlsClient client(port());
  for (const char* body : {"", "no json", "[]", "{}", R"({"message": 1})", R"({"Message": "x"})"}) {
    const Answer answer = post(client, "/log_body", body);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_TRUE(json::parse(answer.body).at("detail").at(0).contains("msg")) << body;
  }
}

TEST_F(ServerTest, AnswersErrorsAndKeepsTheConnection) {
  serve();
  TlsClient client(port());
  EXPECT_EQ(client.ask("GET /none HTTP/1.1\r\nHost: h\r\n\r\n").status, 404);
  const Answer not_allowed = client.ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(not_allowed.status, 405);
  EXPECT_EQ(not_allowed.header("allow"), "GET, HEAD");
  EXPECT_EQ(client.ask("GET /throws HTTP/1.1\r\nHost: h\r\n\r\n").status, 500);
  EXPECT_EQ(client.ask(kGet).status, 200);
}

TEST_F(ServerTest, RefusesBadRequestsAndCloses) {
  serve({.max_header_bytes = 1024, .max_body_bytes = 1000});
  const std::vector<std::pair<std::string, int>> cases = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: h\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x'), 431},
      {"GET /" + std::string(2000, 'x'), 414},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'),
       413},
      {"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
      {std::string(5000, '\x16'), 414},
  };
  for (const auto& [request, status] : cases) {
    TlsClient client(port());
    const Answer answer = client.ask(request + std::string(kGet));
    EXPECT_EQ(answer.status, status) << request;
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_TRUE(json::parse(answer.body).contains("error"));
    EXPECT_TRUE(client.is_ended()) << "the request behind a refused one must not be answered";
  }
}

TEST_F(ServerTest, AnswersARefusalWhileTheClientSends) {
  serve({.max_body_bytes = 1000});
  TlsClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n");
  ASSERT_TRUE(client.send(std::string(3000000, 'x')));
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  serve();
  TlsClient client(port());
  std::string requests;
  for (int i = 0; i < 500; ++i) {
    const std::string body = std::to_string(i) + std::string(100, 'x');
    requests += "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body;
    if (i % 50 == 0) requests += "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  std::thread sender([&] { client.send(requests); });
  sender.join();
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(client.read_answer().body, std::to_string(i) + std::string(100, 'x'));
    if (i % 50 == 0) {
      ASSERT_EQ(client.read_answer().body, large_);
    }
  }
}

TEST_F(ServerTest, ReadsARequestSentByteByByte) {
  serve();
  TlsClient client(port());
  for (const char byte :
       std::string("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                   "\r\n3\r\nabc\r\n0\r\n\r\n")) {
    ASSERT_TRUE(client.send(std::string_view(&byte, 1)));
  }
  EXPECT_EQ(client.read_answer().body, "abc");
}

TEST_F(ServerTest, EchoesLargeBodies) {
  serve();
  TlsClient client(port());
  const std::string body = std::string(3'000'000, 'a') + "end";
  EXPECT_EQ(post(client, "/echo", body).body, body);
}

TEST_F(ServerTest, SendsALargeAnswerToASlowReader) {
  serve();
  TlsClient client(port(), {.receive_buffer = 65536});
  client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(client.read_answer().body, large_);
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  serve();
  TlsClient client(port());
  client.send("HEAD /large HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answer answer = client.read_answer(TlsClient::Body::none);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-length"), std::to_string(large_.size()));
  EXPECT_EQ(client.ask("GET /empty HTTP/1.1\r\nHost: h\r\n\r\n").status, 204);
  EXPECT_EQ(client.ask(kGet).status, 200);
}

TEST_F(ServerTest, SaysContinue) {
  serve();
  TlsClient client(port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100);
  client.send("h");
  EXPECT_EQ(client.ask("i").body, "hi");
}

TEST_F(ServerTest, ClosesWhenAskedTo) {
  serve();
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    TlsClient client(port());
    const Answer answer = client.ask(request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_TRUE(client.is_ended());
  }
  TlsClient old(port());
  const Answer answer = old.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.header("connection"), "keep-alive");
  EXPECT_EQ(old.ask("GET / HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(ServerTest, AnswersAClientThatHasEndedSending) {
  serve();
  TlsClient client(port());
  client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  client.end_sending();
  EXPECT_EQ(client.read_answer().body, large_);
  EXPECT_TRUE(client.is_ended());
  TlsClient without_notice(port());
  without_notice.send(kGet);
  ::shutdown(without_notice.fd(), SHUT_WR);
  EXPECT_EQ(without_notice.read_answer().status, 200);
}

TEST_F(ServerTest, DropsATruncatedRequest) {
  serve();
  TlsClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhi");
  client.end_sending();
  EXPECT_TRUE(client.is_ended());
}

TEST_F(ServerTest, SurvivesGarbageInsteadOfAHandshake) {
  serve();
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100000, '\x16'),
        std::string("\x16\x03\x01"),
        std::string("\x16\x03\x01\x40\x00", 5) + std::string(20000, 'x')}) {
    const int fd = ratls::testing::connect_to(port());
    ASSERT_GE(fd, 0);
    ::send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    char byte = 0;
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
    ::close(fd);
  }
  TlsClient client(port());
  EXPECT_EQ(client.ask(kGet).status, 200);
}

TEST_F(ServerTest, GivesThePeersAddress) {
  serve();
  TlsClient client(port());
  sockaddr_in local{};
  socklen_t size = sizeof local;
  ::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&local), &size);
  EXPECT_EQ(client.ask("GET /peer HTTP/1.1\r\nHost: h\r\n\r\n").body,
            "127.0.0.1:" + std::to_string(ntohs(local.sin_port)));
}

TEST_F(ServerTest, EndsSilentHandshakes) {
  serve({.handshake_timeout = seconds(1)});
  const int fd = ratls::testing::connect_to(port());
  ASSERT_GE(fd, 0);
  char byte = 0;
  EXPECT_LE(::recv(fd, &byte, 1, 0), 0);
  EXPECT_NE(errno, EAGAIN) << "the server did not close";
  ::close(fd);
}

TEST_F(ServerTest, EndsSlowRequestsWith408) {
  serve({.request_timeout = seconds(1)});
  TlsClient client(port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n");
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 408);
  EXPECT_TRUE(client.is_ended());
}

TEST_F(ServerTest, EndsIdleConnectionsInOrder) {
  serve({.keep_alive_timeout = seconds(1)});
  TlsClient unused(port());
  TlsClient used(port());
  EXPECT_EQ(used.ask(kGet).status, 200);
  EXPECT_TRUE(used.is_ended());
  EXPECT_TRUE(unused.is_ended());
}

TEST_F(ServerTest, EndsReadersThatDoNotRead) {
  large_ = std::string(40 << 20, 'l');  // more than the buffers of two kernels take
  serve({.write_timeout = seconds(1)});
  TlsClient client(port());
  client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  std::this_thread::sleep_for(seconds(3));
  EXPECT_EQ(client.read_answer().status, 0) << "the answer must have been cut off";
  EXPECT_FALSE(client.is_ended()) << "a cut answer must not look whole";
}

TEST_F(ServerTest, StopsAcceptingWhenFull) {
  serve({.threads = 1, .max_connections = 2});
  auto first = std::make_unique<TlsClient>(port());
  TlsClient second(port());
  auto third = std::async([this] { return TlsClient(port()).ask(kGet).status; });
  EXPECT_EQ(first->ask(kGet).status, 200);
  EXPECT_EQ(second.ask(kGet).status, 200);
  EXPECT_EQ(third.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  first.reset();
  EXPECT_EQ(third.get(), 200);
}

TEST_F(ServerTest, FinishesRequestsInFlightWhenStopped) {
  serve({.threads = 2});
  TlsClient idle(port());
  EXPECT_EQ(idle.ask(kGet).status, 200);
  TlsClient half(port());
  half.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nh");
  TlsClient slow(port());
  slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  while (slow_calls_ == 0) std::this_thread::yield();
  // A worker that is in the slow handler cannot serve half and idle before it ends.
  auto stopped = std::async([this] { server_->stop(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  slow_may_end_.set_value();
  EXPECT_EQ(slow.read_answer().body, "slow");
  EXPECT_TRUE(slow.is_ended());
  EXPECT_TRUE(idle.is_ended());
  const Answer answer = half.ask("i");
  EXPECT_EQ(answer.body, "hi");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(half.is_ended());
  stopped.get();
  EXPECT_LT(ratls::testing::connect_to(port()), 0);
}

TEST_F(ServerTest, CutsOffWhatOutlastsTheDrain) {
  serve({.drain_timeout = seconds(1)});
  TlsClient half(port());
  half.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nh");
  EXPECT_EQ(TlsClient(port()).ask(kGet).status, 200);
  server_->stop();
  EXPECT_EQ(half.ask("i").status, 0);
}

TEST_F(ServerTest, StopsTwiceAndStartsAgain) {
  serve();
  server_->stop();
  server_->stop();
  ASSERT_TRUE(server_->start(fake_attester()).has_value());
  EXPECT_EQ(TlsClient(port()).ask(kGet).status, 200);
  const auto again = server_->start(fake_attester());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code(), Code::config_invalid);
}

TEST_F(ServerTest, StopsAtASignal) {
  serve();
  Server::block_signals();
  ::kill(::getpid(), SIGTERM);
  server_->run_until_signal();
  EXPECT_LT(ratls::testing::connect_to(port()), 0);
}

TEST_F(ServerTest, RefusesAPortThatIsTaken) {
  serve();
  Server other({.port = port()});
  const auto started = other.start(fake_attester());
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code(), Code::listen_failed);
}

TEST(ServerStart, RefusesOptionsOutOfRange) {
  std::vector<ServerOptions> all(11);
  all[0].threads = 0;
  all[1].threads = 10000;
  all[2].host = "";
  all[3].max_header_bytes = 10;
  all[4].max_connections = 0;
  all[5].request_timeout = seconds(0);
  all[6].drain_timeout = seconds(-1);
  all[7].keep_alive_timeout = std::chrono::hours(1000);
  all[8].max_queued = std::size_t{1} << 40;
  all[9].queue_timeout = seconds(-1);
  all[10].admin_host = "192.0.2.1";
  for (const ServerOptions& options : all) {
    const auto started = Server(options).start(fake_attester());
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().code(), Code::config_invalid);
  }
}

TEST(ServerStart, FailsWithoutAQuote) {
  const auto attester = Attester::create(
      [](const ReportData&) -> Result<Bytes> { return Error(Code::quote_unavailable, "", ""); },
      {});
  const auto started = Server({.port = 0}).start(*attester);
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code(), Code::quote_unavailable);
}

TEST(ServerStart, FailsAtAnAddressThatIsNotOurs) {
  const auto started = Server({.host = "192.0.2.1", .port = 0}).start(fake_attester());
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code(), Code::listen_failed);
}

TEST(ServerUrl, PutsIpv6IntoBrackets) {
  EXPECT_EQ(Server({.host = "::1"}).url(), "https://[::1]:0");
  EXPECT_EQ(Server({.host = "[::1]"}).url(), "https://[::1]:0");
  EXPECT_EQ(Server({.host = "localhost"}).url(), "https://localhost:0");
}

TEST_F(ServerTest, ServesManyConnections) {
  serve({.threads = 2});
  constexpr int kThreads = 4;
  constexpr int kEach = 250;
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kEach; ++j) {
        TlsClient client(port());
        if (!client.connected()) continue;
        // Some break off before, some within, some after an answer.
        if (j % 5 == 0) client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
        if (j % 5 != 1) answered += client.ask(kGet).status == 200 ? 1 : 0;
        if (j % 5 == 1) ++answered;
        if (i == 0 && j % 50 == 0) client.end_sending();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kThreads * kEach);
}

TEST_F(ServerTest, HoldsManyIdleConnections) {
  serve({.threads = 2});
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (int i = 0; i < 400; ++i) clients.push_back(std::make_unique<TlsClient>(port()));
  for (const auto& client : clients) {
    ASSERT_TRUE(client->connected());
    ASSERT_EQ(client->ask(kGet).status, 200);
  }
  server_->stop();
  for (const auto& client : clients) EXPECT_TRUE(client->is_ended());
}

}  // namespace
}  // namespace ratls
