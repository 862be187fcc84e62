// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ratls/server.h"
#include "support/fake_attester.h"
#include "support/tls_client.h"

// What of a running server can change.
namespace ratls {
namespace {

using ratls::testing::Answer;
using ratls::testing::fake_attester;
using ratls::testing::TlsClient;

class ServerReload : public ::testing::Test {
 protected:
  ServerReload() {
    options_.port = 0;
    options_.threads = 1;
  }
  void serve() {
    server_ = std::make_unique<Server>(options_);
    server_->route("GET", "/", [](const Request& request) { return Response::text(request.id); });
    ASSERT_TRUE(server_->start(fake_attester()).has_value());
  }
  static Answer ask(TlsClient& client) {
    return client.ask("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(500, 'x') + "\r\n\r\n");
  }

  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerReload, TakesOtherLimitsOnOpenConnections) {
  serve();
  TlsClient client(server_->port());
  EXPECT_EQ(ask(client).status, 200);
  options_.max_header_bytes = 300;
  ASSERT_TRUE(server_->apply(options_, std::nullopt).has_value());
  EXPECT_EQ(ask(client).status, 431);
}

TEST_F(ServerReload, ChangesNothingWhenSomethingIsWrong) {
  serve();
  TlsClient client(server_->port());
  const auto expect_refused = [&](const ServerOptions& options, const std::string& option) {
    const auto applied = server_->apply(options, std::nullopt);
    ASSERT_FALSE(applied.has_value());
    EXPECT_EQ(applied.error().code(), Code::config_invalid);
    EXPECT_EQ(applied.error().where(), option);
    EXPECT_EQ(ask(client).status, 200);
  };
  ServerOptions next = options_;
  next.max_header_bytes = 300;
  next.request_timeout = std::chrono::seconds(0);
  expect_refused(next, "request_timeout");
  next.request_timeout = options_.request_timeout;
  next.threads = 2;
  expect_refused(next, "threads");
  next.threads = 1;
  next.host = "127.0.0.2";
  expect_refused(next, "host");
  next.host = options_.host;
  next.lowest_tls = TlsVersion::tls12;
  expect_refused(next, "lowest_tls");
}

TEST_F(ServerReload, NeedsARunningServer) {
  Server server(options_);
  EXPECT_EQ(server.apply(options_, std::nullopt).error().code(), Code::config_invalid);
  EXPECT_EQ(server.reload().error().code(), Code::usage);
}

TEST_F(ServerReload, DoesWhatItWasTold) {
  int calls = 0;
  Server server(options_);
  server.on_reload([&]() -> Result<void> {
    if (++calls == 1) return {};
    return Error(Code::config_invalid, "line 3", "x");
  });
  EXPECT_TRUE(server.reload().has_value());
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(server.reload().error().code(), Code::config_invalid);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("line 3"), std::string::npos);
  EXPECT_EQ(calls, 2);
}

TEST_F(ServerReload, NamesEachRequest) {
  serve();
  TlsClient client(server_->port());
  const Answer first = ask(client);
  const Answer second = ask(client);
  EXPECT_EQ(first.header("x-request-id").size(), 32u);
  EXPECT_EQ(first.header("x-request-id"), first.body);
  EXPECT_NE(first.body, second.body);
}

TEST_F(ServerReload, SwitchesTheAccessLogOn) {
  serve();
  TlsClient client(server_->port());
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ask(client).status, 200);
  options_.access_log = true;
  ASSERT_TRUE(server_->apply(options_, std::nullopt).has_value());
  const Answer answer = ask(client);
  server_->stop();  // after which all lines are written
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(logged.find("request id=" + answer.body + " method=GET path=/ status=200 bytes=32 "),
            std::string::npos)
      << logged;
  EXPECT_EQ(logged.find("request "), logged.rfind("request "));
}

}  // namespace
}  // namespace ratls
