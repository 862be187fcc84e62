// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <vector>

#include "ratls/server.h"
#include "support/fake_attester.h"
#include "support/tls_client.h"

// Clients that want the server's time or memory for themselves.
namespace ratls {
namespace {

using ratls::testing::fake_attester;
using ratls::testing::TlsClient;
using std::chrono::seconds;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class HostileClient : public ::testing::Test {
 protected:
  void serve(ServerOptions options) {
    options.port = 0;
    server_ = std::make_unique<Server>(options);
    server_->route("GET", "/", [](const Request&) { return Response::text("here"); })
        .route("POST", "/echo",
               [](const Request& request) { return Response::text(request.body); });
    ASSERT_TRUE(server_->start(fake_attester()).has_value());
  }
  std::uint16_t port() const { return server_->port(); }

  std::unique_ptr<Server> server_;
};

TEST_F(HostileClient, IsAnsweredAfterKeyUpdates) {
  serve({.threads = 1});
  TlsClient client(port());
  for (int count = 0; count < 5000; ++count) {
    ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(client.ssl()), 1);
  }
  EXPECT_EQ(client.ask(kGet).status, 200);
  EXPECT_EQ(client.ask(kGet).status, 200);
}

// Keeps sending what has no plaintext in it, until the server ends the connection.
void flood_with_key_updates(const TlsClient& client) {
  while (SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
         SSL_do_handshake(client.ssl()) == 1) {
  }
  ERR_clear_error();
}

TEST_F(HostileClient, ServesOthersDuringKeyUpdates) {
  serve({.threads = 1, .keep_alive_timeout = seconds(2)});
  std::vector<std::future<void>> floods;
  for (int count = 0; count < 3; ++count) {
    floods.push_back(std::async(std::launch::async, [this] {
      const TlsClient client(port());
      flood_with_key_updates(client);
    }));
  }
  for (int count = 0; count < 5; ++count) EXPECT_EQ(TlsClient(port()).ask(kGet).status, 200);
  // Each ends only because its deadline is looked at while it floods.
  for (auto& flood : floods) flood.get();
}

TEST_F(HostileClient, LeavesDescriptorsForARenewal) {
  const auto connect_three = [this] {
    const rlimit room_for_two{69, 69};
    if (::setrlimit(RLIMIT_NOFILE, &room_for_two) != 0) std::_Exit(2);
    serve({.threads = 1});
    TlsClient first(port());
    TlsClient second(port());
    auto third = std::async(std::launch::async, [this] { return TlsClient(port()).connected(); });
    const bool waits =
        third.wait_for(std::chrono::milliseconds(300)) == std::future_status::timeout;
    const bool served = first.ask(kGet).status == 200 && second.ask(kGet).status == 200;
    std::_Exit(waits && served ? 0 : 1);
  };
  EXPECT_EXIT(connect_three(), ::testing::ExitedWithCode(0), "");
}

TEST_F(HostileClient, RefusesBodiesThatTogetherTakeTooMuch) {
  serve({.threads = 1, .max_body_bytes = 1000});
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (int count = 0; count < 16; ++count) {
    clients.push_back(std::make_unique<TlsClient>(port()));
    clients.back()->send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" +
                         std::string(990, 'b'));
    // It is an answer to a later request on another connection that shows how far the server is.
    EXPECT_EQ(TlsClient(port()).ask(kGet).status, 200);
  }
  TlsClient late(port());
  late.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" +
            std::string(990, 'b'));
  EXPECT_EQ(late.read_answer().status, 503);
  EXPECT_TRUE(late.is_ended());
  for (auto& client : clients) {
    EXPECT_EQ(client->ask(std::string(10, 'b')).body, std::string(990, 'b') + std::string(10, 'b'));
  }
  EXPECT_EQ(
      TlsClient(port()).ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").body,
      "abc");
}

}  // namespace
}  // namespace ratls
