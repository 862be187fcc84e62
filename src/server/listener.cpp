// SPDX-License-Identifier: Apache-2.0
#include "server/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstring>

namespace ratls::server {
namespace {

using boost::asio::ip::tcp;

std::string describe_endpoint(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string host = endpoint.address().is_v6() ? "[" + address + "]" : address;
  return host + ":" + std::to_string(endpoint.port());
}

Error listen_error(const tcp::endpoint& endpoint, std::string_view step) {
  const std::string reason = std::strerror(errno);  // before anything else changes it
  return Error(Code::listen_failed, describe_endpoint(endpoint), std::string(step) + ": " + reason);
}

/// Socket closes the descriptor unless it was released.
class Socket {
 public:
  explicit Socket(const tcp::endpoint& endpoint)
      : fd_(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  bool enable(int level, int name) const {
    const int on = 1;
    return ::setsockopt(fd_, level, name, &on, sizeof on) == 0;
  }

 private:
  int fd_;
};

}  // namespace

Result<tcp::endpoint> resolve_listen_address(const std::string& host, std::uint16_t port) {
  std::string name = host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  }
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(name, ec);
  if (!ec) return tcp::endpoint(address, port);
  // RFC 6761 6.3: always the loopback, also where no hosts file says so and whatever a resolver
  // says.
  if (name == "localhost") return tcp::endpoint(boost::asio::ip::address_v4::loopback(), port);
  boost::asio::io_context context;
  tcp::resolver resolver(context);
  const auto found =
      resolver.resolve(name, std::to_string(port), tcp::resolver::numeric_service, ec);
  if (ec || found.empty()) {
    return Error(Code::listen_failed, host, "the host is not known: " + ec.message());
  }
  return found.begin()->endpoint();
}

Result<tcp::acceptor> open_listener(boost::asio::io_context& context,
                                    const tcp::endpoint& endpoint) {
  Socket socket(endpoint);
  if (socket.fd() < 0) return listen_error(endpoint, "socket");
  // Without SO_REUSEADDR a restart would wait for the closed connections of the last run.
  if (!socket.enable(SOL_SOCKET, SO_REUSEADDR) || !socket.enable(SOL_SOCKET, SO_REUSEPORT)) {
    return listen_error(endpoint, "setsockopt");
  }
  if (::bind(socket.fd(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
    return listen_error(endpoint, "bind");
  }
  if (::listen(socket.fd(), SOMAXCONN) != 0) return listen_error(endpoint, "listen");
  tcp::acceptor acceptor(context);
  boost::system::error_code ec;
  acceptor.assign(endpoint.protocol(), socket.fd(), ec);
  if (ec) return Error(Code::listen_failed, describe_endpoint(endpoint), ec.message());
  socket.release();
  return acceptor;
}

Result<void> check_unused(const tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return {};
  Socket socket(endpoint);
  if (socket.fd() < 0) return listen_error(endpoint, "socket");
  socket.enable(SOL_SOCKET, SO_REUSEADDR);
  if (::bind(socket.fd(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
    return listen_error(endpoint, "bind");
  }
  return {};
}

}  // namespace ratls::server
