// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "server/plain_server.h"

// epoll as it is under Gramine: the end of what the other side sends is told of as EPOLLHUP,
// without a pause, whether one has asked or not (libos_epoll.c, pal_object.c).
namespace {

std::atomic<bool> is_like_gramine{false};
std::atomic<int> waits{0};

}  // namespace

// A program's own functions come before those of the C library.
extern "C" int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  static const auto next = reinterpret_cast<decltype(&epoll_ctl)>(::dlsym(RTLD_NEXT, "epoll_ctl"));
  if (!is_like_gramine || event == nullptr) return next(epoll, operation, descriptor, event);
  epoll_event changed = *event;
  changed.events |= EPOLLRDHUP;
  return next(epoll, operation, descriptor, &changed);
}

extern "C" int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  static const auto next =
      reinterpret_cast<decltype(&epoll_wait)>(::dlsym(RTLD_NEXT, "epoll_wait"));
  const int count = next(epoll, events, most, timeout);
  if (!is_like_gramine) return count;
  ++waits;
  for (int i = 0; i < count; ++i) {
    const std::uint32_t told = events[i].events;
    if ((told & EPOLLRDHUP) != 0) events[i].events = (told & ~EPOLLRDHUP) | EPOLLHUP;
  }
  return count;
}

namespace ratls::server {
namespace {

using boost::asio::ip::tcp;

class GramineEpoll : public ::testing::Test {
 protected:
  GramineEpoll() { is_like_gramine = true; }
  ~GramineEpoll() override { is_like_gramine = false; }
};

TEST_F(GramineEpoll, AClientThatSendsNoMoreGetsItsAnswerAndNoLoopSpins) {
  const std::string large(16 << 20, 'l');  // more than the kernel keeps for a connection
  PlainServer server({.port = 0, .threads = 1});
  server.route("GET", "/", [&](const Request&) { return Response::text(large); });
  ASSERT_TRUE(server.start().has_value());
  const std::string url = server.url();
  boost::asio::io_context context;
  tcp::socket client(context);
  client.connect({boost::asio::ip::make_address("127.0.0.1"),
                  static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)))});
  const std::string_view request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  boost::asio::write(client, boost::asio::buffer(request));
  client.shutdown(tcp::socket::shutdown_send);
  waits = 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_LT(waits, 1000);  // some to fill the kernel's buffers, and two or three for each look

  std::string answer;
  boost::system::error_code ec;
  boost::asio::read(client, boost::asio::dynamic_buffer(answer), ec);
  EXPECT_EQ(ec, boost::asio::error::eof);
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, large.size());
}

}  // namespace
}  // namespace ratls::server
