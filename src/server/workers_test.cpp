// SPDX-License-Identifier: Apache-2.0
#include "server/workers.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <thread>

namespace ratls::server {
namespace {

using boost::asio::ip::tcp;

TEST(Workers, AreNotAliveWhileALoopIsStuck) {
  std::promise<void> stuck;
  std::promise<void> release;
  Router router;
  router.add("GET", "/", [&](const Request&) {
    stuck.set_value();
    release.get_future().wait();
    return Response::text("");
  });
  const auto workers =
      Workers::listen({.host = "127.0.0.1", .port = 0, .threads = 2}, router, nullptr, nullptr)
          .value();
  ASSERT_TRUE(workers->start().has_value());
  boost::asio::io_context context;
  tcp::socket client(context);
  client.connect({boost::asio::ip::make_address("127.0.0.1"), workers->port()});
  boost::asio::write(client, boost::asio::buffer(std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
  stuck.get_future().wait();
  workers->are_alive();  // asks both
  EXPECT_FALSE(workers->are_alive());
  EXPECT_FALSE(workers->are_alive());
  release.set_value();
  while (!workers->are_alive()) std::this_thread::yield();
}

}  // namespace
}  // namespace ratls::server
