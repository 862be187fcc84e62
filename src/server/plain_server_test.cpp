// SPDX-License-Identifier: Apache-2.0
#include "server/plain_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace ratls::server {
namespace {

using boost::asio::ip::tcp;

class PlainServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.route("GET", "/", [](const Request& request) { return Response::text(request.path); });
    server_.route("GET", "/large", [this](const Request&) { return Response::text(large_); });
    ASSERT_TRUE(server_.start().has_value());
    const std::string url = server_.url();
    ASSERT_TRUE(url.starts_with("http://127.0.0.1:"));
    client_.connect({boost::asio::ip::make_address("127.0.0.1"),
                     static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)))});
  }
  void send(std::string_view text) { boost::asio::write(client_, boost::asio::buffer(text)); }
  std::string receive_until(std::string_view end) {
    while (received_.find(end) == std::string::npos) {
      char part[4096];
      boost::system::error_code ec;
      const std::size_t size = client_.read_some(boost::asio::buffer(part), ec);
      if (ec) return received_;
      received_.append(part, size);
    }
    return std::exchange(received_, "");
  }
  std::string receive_all() { return receive_until("\n\n\n that never comes"); }

  const std::string large_ = std::string(3 << 20, 'l') + "end";
  PlainServer server_{{.port = 0, .threads = 1}};
  boost::asio::io_context context_;
  tcp::socket client_{context_};
  std::string received_;
};

TEST_F(PlainServerTest, AnswersOneRequestAfterTheOther) {
  for (int i = 0; i < 3; ++i) {
    send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string answer = receive_until("\r\n\r\n/");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  }
}

TEST_F(PlainServerTest, SendsLargeBodiesToSlowReaders) {
  send("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = receive_all();
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, large_.size());
  EXPECT_TRUE(answer.ends_with("lend"));
}

TEST_F(PlainServerTest, RefusesWhatTheTlsServerRefuses) {
  send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(receive_all().starts_with("HTTP/1.1 400 "));
}

TEST_F(PlainServerTest, StopEndsIdleConnections) {
  server_.stop();
  EXPECT_EQ(receive_all(), "");
}

TEST(PlainServerAddress, IsTheLoopbacksOnly) {
  for (const char* host : {"0.0.0.0", "::", "192.0.2.1"}) {
    PlainServer server({.host = host, .port = 0});
    const auto started = server.start();
    ASSERT_FALSE(started.has_value()) << host;
    EXPECT_EQ(started.error().code(), Code::config_invalid);
  }
}

}  // namespace
}  // namespace ratls::server
