// SPDX-License-Identifier: Apache-2.0
#include "server/local_proxy.h"

#include <algorithm>

#include "base/text.h"
#include "server/listener.h"

namespace ratls::server {
namespace {

// Handshakes at a time: a browser opens six connections at once.
constexpr unsigned kDialThreads = 16;

std::string lower_text(std::string text) {
  std::ranges::transform(text, text.begin(), lower);
  return text;
}

/// in_brackets is an address as a URL has it.
std::string in_brackets(const boost::asio::ip::address& address) {
  return address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
}

}  // namespace

LocalProxyServer::LocalProxyServer(LocalProxyOptions options, Dial dial, Handler status)
    : options_(std::move(options)), dial_(std::move(dial)) {
  router_.add_own("/.well-known/ratls/proxy", std::move(status));
}

LocalProxyServer::~LocalProxyServer() { stop(); }

Result<void> LocalProxyServer::start() {
  ServerOptions& server = options_.server;
  RATLS_TRY(const auto endpoint, resolve_listen_address(server.host, server.port));
  const auto address = endpoint.address();
  if (!address.is_loopback() && options_.reach == Reach::this_machine) {
    return Error(Code::config_invalid, "--listen",
                 "plain http is for this machine only: 127.0.0.1, ::1 or localhost");
  }
  server.host = address.to_string();  // not what a name may be the next time
  local_.names = options_.names;
  local_.names.push_back(in_brackets(address));
  if (address.is_loopback()) local_.names.push_back("localhost");
  for (std::string& name : local_.names) name = lower_text(std::move(name));
  local_.server = options_.origin_host;
  const auto connect = [dial = dial_]() -> Result<Link> {
    RATLS_TRY(auto channel, dial());
    return Link(std::move(channel));
  };
  RATLS_TRY(dialer_, Dialer::start(connect, kDialThreads));
  upstreams_.add(*dialer_);
  RATLS_TRY(workers_, Workers::listen(server, router_, nullptr, &upstreams_, &local_));
  local_.port = workers_->port();
  return workers_->start();
}

std::string LocalProxyServer::url() const {
  return url_of("http", options_.server.host, workers_->port());
}

void LocalProxyServer::stop() {
  if (workers_ != nullptr) workers_->stop();
}

}  // namespace ratls::server
