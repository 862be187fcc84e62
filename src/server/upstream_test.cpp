// SPDX-License-Identifier: Apache-2.0
#include "server/upstream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>

#include "ratls/server.h"
#include "support/fake_attester.h"
#include "support/tls_client.h"

namespace ratls::server {
namespace {

using ratls::testing::fake_attester;
using ratls::testing::TlsClient;

UpstreamAddress address(const std::string& text) { return UpstreamAddress::parse(text).value(); }

TEST(Upstreams, ChoosesTheLeastLoadedInTurnAmongEquals) {
  Upstreams all;
  for (int count = 0; count < 3; ++count) all.add().set_address(address("unix:/x"));
  std::vector<UpstreamLoad> held;
  for (int count = 0; count < 3; ++count) held.push_back(all.choose().value());
  for (std::size_t index = 0; index < 3; ++index) EXPECT_EQ(all.at(index).in_flight(), 1U);
  Upstream& free = held.back().upstream();
  held.pop_back();
  EXPECT_EQ(&all.choose()->upstream(), &free);
}

TEST(Upstreams, LeavesOutWhatIsDown) {
  Upstreams all;
  EXPECT_FALSE(all.choose().has_value());
  Upstream& first = all.add();
  EXPECT_FALSE(all.choose().has_value());  // no address yet
  first.set_address(address("unix:/x"));
  EXPECT_TRUE(all.choose().has_value());
  first.set_down();
  EXPECT_FALSE(all.choose().has_value());
}

TEST(Upstreams, AvoidsTheOneThatFailed) {
  Upstreams all;
  Upstream& first = all.add();
  Upstream& second = all.add();
  first.set_address(address("unix:/a"));
  EXPECT_EQ(&all.choose(&first)->upstream(), &first);  // there is no other
  second.set_address(address("unix:/b"));
  for (int count = 0; count < 4; ++count) EXPECT_EQ(&all.choose(&first)->upstream(), &second);
  EXPECT_FALSE(Upstreams().choose(&first).has_value());
}

// An app whose queue takes the connection and that never answers.
TEST(ForwardingServer, GivesUpOnASilentApp) {
  const std::string path = "/tmp/ratls-silent-" + std::to_string(::getpid()) + ".sock";
  const UpstreamAddress silent = address("unix:" + path);
  const Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(listener.get(), silent.data(), silent.size()), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  ServerOptions options;
  options.port = 0;
  options.upstream_timeout = std::chrono::seconds(1);
  Server server(options);
  ASSERT_TRUE(server.forward_to(silent.text()).has_value());
  ASSERT_TRUE(server.start(fake_attester()).has_value());
  TlsClient client(server.port());
  const auto answer = client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer.status, 504);
  EXPECT_NE(answer.body.find("did not answer in time"), std::string::npos);
  std::filesystem::remove(path);
}

/// FullQueue is a TCP socket that takes no more connections: one waits until it is given up.
class FullQueue {
 public:
  FullQueue() : listener_(new_socket()) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const name = reinterpret_cast<sockaddr*>(&any);
    socklen_t size = sizeof any;
    EXPECT_EQ(::bind(listener_.get(), name, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 0), 0);
    EXPECT_EQ(::getsockname(listener_.get(), name, &size), 0);
    port_ = ntohs(any.sin_port);
    while (queue_.size() < 8) {
      Descriptor next = new_socket();
      if (::connect(next.get(), name, size) == 0 || is_made(next)) {
        queue_.push_back(std::move(next));
      } else {
        break;
      }
    }
    EXPECT_LT(queue_.size(), 8U);
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  static Descriptor new_socket() {
    return Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  static bool is_made(const Descriptor& socket) {
    pollfd ready{socket.get(), POLLOUT, 0};
    return ::poll(&ready, 1, 200) == 1;
  }

  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::vector<Descriptor> queue_;
};

TEST(ForwardingServer, ServesOthersWhileAnAppCannotBeReached) {
  const FullQueue app;
  Server server({.port = 0, .threads = 1});
  ASSERT_TRUE(server.forward_to(app.address()).has_value());
  ASSERT_TRUE(server.start(fake_attester()).has_value());
  TlsClient waiting(server.port());
  ASSERT_TRUE(waiting.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  // An answer that needs no app.
  const std::string own = "GET /.well-known/ratls/none HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_EQ(TlsClient(server.port()).ask(own).status, 404);
  pollfd answered{waiting.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&answered, 1, 0), 0);
  const auto answer = waiting.read_answer();
  EXPECT_EQ(answer.status, 504);
  EXPECT_NE(answer.body.find("cannot be reached"), std::string::npos);
}

}  // namespace
}  // namespace ratls::server
