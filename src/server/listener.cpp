// SPDX-License-Identifier: Apache-2.0
#include "server/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>

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

Descriptor open_socket(const tcp::endpoint& endpoint) {
  const int kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  return Descriptor(::socket(endpoint.protocol().family(), kind, 0));
}

bool enable(const Descriptor& socket, int name) {
  const int on = 1;
  return ::setsockopt(socket.get(), SOL_SOCKET, name, &on, sizeof on) == 0;
}

bool bind_to(const Descriptor& socket, const tcp::endpoint& endpoint) {
  return ::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
}

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

Result<Descriptor> open_listener(const tcp::endpoint& endpoint) {
  Descriptor socket = open_socket(endpoint);
  if (!socket) return listen_error(endpoint, "socket");
  // Without SO_REUSEADDR a restart would wait for the closed connections of the last run.
  if (!enable(socket, SO_REUSEADDR) || !enable(socket, SO_REUSEPORT)) {
    return listen_error(endpoint, "setsockopt");
  }
  if (!bind_to(socket, endpoint)) return listen_error(endpoint, "bind");
  if (::listen(socket.get(), SOMAXCONN) != 0) return listen_error(endpoint, "listen");
  return socket;
}

tcp::endpoint local_endpoint(const Descriptor& listener) {
  tcp::endpoint endpoint;
  socklen_t size = static_cast<socklen_t>(endpoint.capacity());
  ::getsockname(listener.get(), endpoint.data(), &size);
  endpoint.resize(size);
  return endpoint;
}

Result<void> check_unused(const tcp::endpoint& endpoint) {
  if (endpoint.port() == 0) return {};
  const Descriptor socket = open_socket(endpoint);
  if (!socket) return listen_error(endpoint, "socket");
  enable(socket, SO_REUSEADDR);
  if (!bind_to(socket, endpoint)) return listen_error(endpoint, "bind");
  return {};
}

}  // namespace ratls::server
