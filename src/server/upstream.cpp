// SPDX-License-Identifier: Apache-2.0
#include "server/upstream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace ratls::server {
namespace {

Error bad_address(std::string_view text, std::string reason) {
  return Error(Code::usage, std::string(text),
               std::move(reason) + " (an app is at unix:PATH or http://127.0.0.1:PORT)");
}

Error unreachable(int error) {
  if (error == EAGAIN) {
    return Error(Code::connection_failed, "app", "The app has too many requests waiting.");
  }
  return Error(Code::connection_closed, "app",
               std::string("The app cannot be reached: ") + std::strerror(error) + ".");
}

}  // namespace

Result<UpstreamAddress> UpstreamAddress::unix_socket(const std::string& path) {
  UpstreamAddress address;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    return bad_address("unix:" + path, "the path of a UNIX socket has 1 to 107 bytes");
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  std::memcpy(&address.storage_, &name, sizeof name);
  address.size_ = sizeof name;
  address.text_ = "unix:" + path;
  return address;
}

Result<UpstreamAddress> UpstreamAddress::parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  constexpr std::string_view kHttp = "http://";
  if (text.starts_with(kUnix)) return unix_socket(std::string(text.substr(kUnix.size())));
  if (!text.starts_with(kHttp)) return bad_address(text, "this is no address of an app");
  std::string_view rest = text.substr(kHttp.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto colon = rest.rfind(':');
  std::uint16_t port = 0;
  if (colon == rest.npos) return bad_address(text, "the port is missing");
  const std::string_view digits = rest.substr(colon + 1);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || port == 0) {
    return bad_address(text, "the port is not 1 to 65535");
  }
  std::string host(rest.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  const auto ip = boost::asio::ip::make_address(host, ec);
  if (ec || !ip.is_loopback()) {
    return bad_address(text, "only an app on this machine can be reached in plain");
  }
  const boost::asio::ip::tcp::endpoint endpoint(ip, port);
  UpstreamAddress address;
  std::memcpy(&address.storage_, endpoint.data(), endpoint.size());
  address.size_ = static_cast<socklen_t>(endpoint.size());
  address.text_ = text;
  return address;
}

const sockaddr* UpstreamAddress::data() const noexcept {
  return static_cast<const sockaddr*>(static_cast<const void*>(&storage_));
}

void Upstream::set_address(UpstreamAddress address) {
  const std::lock_guard lock(mutex_);
  address_ = std::move(address);
  ++generation_;
  up_ = true;
}

Result<Descriptor> Upstream::connect() const {
  std::optional<UpstreamAddress> address;
  {
    const std::lock_guard lock(mutex_);
    address = address_;
  }
  if (!address) return unreachable(ECONNREFUSED);
  const int family = address->data()->sa_family;
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return unreachable(errno);
  if (!address->is_unix()) {
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(socket.get(), address->data(), address->size()) != 0 && errno != EINPROGRESS) {
    return unreachable(errno);
  }
  return socket;
}

Result<void> Upstream::start_dialing() {
  {
    const std::lock_guard lock(mutex_);
    if (elsewhere_ != nullptr || (address_ && !address_->is_unix())) return {};
  }
  const auto connect_and_wait = [this]() -> Result<Link> {
    RATLS_TRY(Descriptor socket, connect());
    // Under gramine-sgx whatever is done first with the socket, closing it included, waits until
    // the app accepts (PAL, pal_pipes.c): here it keeps nobody else.
    char byte = 0;
    static_cast<void>(::recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT));
    return Link(std::move(socket));
  };
  RATLS_TRY(own_dialer_, Dialer::start(connect_and_wait, 1));
  return {};
}

Upstream& Upstreams::add() { return *all_.emplace_back(std::make_unique<Upstream>(all_.size())); }

void Upstreams::add(Dialer& dialer) {
  all_.push_back(std::make_unique<Upstream>(all_.size(), dialer));
}

Result<void> Upstreams::start_dialing() {
  for (const auto& upstream : all_) RATLS_CHECK(upstream->start_dialing());
  return {};
}

void Upstreams::stop_dialing() {
  for (const auto& upstream : all_) upstream->stop_dialing();
}

bool Upstreams::any_up() const noexcept {
  return std::ranges::any_of(all_, [](const auto& upstream) { return upstream->up(); });
}

std::optional<UpstreamLoad> Upstreams::choose(const Upstream* avoid) {
  Upstream* best = nullptr;
  unsigned least = 0;
  const std::size_t first = turn_.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t count = 0; count < all_.size(); ++count) {
    Upstream& candidate = *all_[(first + count) % all_.size()];
    if (!candidate.up() || &candidate == avoid) continue;
    const unsigned load = candidate.in_flight();
    if (best != nullptr && load >= least) continue;
    best = &candidate;
    least = load;
  }
  if (best != nullptr) return UpstreamLoad(*best);
  return avoid == nullptr ? std::nullopt : choose();
}

}  // namespace ratls::server
