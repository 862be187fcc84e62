// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/dialer.h"
#include "server/workers.h"

namespace ratls::server {

/// Reach says who may ask a local proxy, in plain HTTP.
enum class Reach { this_machine, anybody };

/// LocalProxyOptions says where to listen and what for.
struct LocalProxyOptions {
  ServerOptions server;            ///< host, port, limits, times
  std::vector<std::string> names;  ///< that the proxy is called by, beside its address
  std::string origin_host;         ///< of the https server, with a port that is not 443
  Reach reach = Reach::this_machine;
};

/// LocalProxyServer answers plain HTTP with what an attested server says. Thread-safety: from one
/// thread.
class LocalProxyServer {
 public:
  /// dial verifies the server for each connection to it. status answers GET
  /// /.well-known/ratls/proxy.
  LocalProxyServer(LocalProxyOptions options, Dial dial, Handler status);
  ~LocalProxyServer();  // stops

  /// start listens and returns while threads serve. Errors: config_invalid for an address that is
  /// not the loopback's, unless anybody may ask; listen_failed, internal.
  Result<void> start();
  /// url is "http://host:port", after start.
  std::string url() const;
  /// stop ends as Server::stop does.
  void stop();

 private:
  LocalProxyOptions options_;
  Dial dial_;
  Router router_;
  http::LocalProxy local_;
  Upstreams upstreams_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Dialer> dialer_;  // ends before the workers, whose threads it wakes
};

}  // namespace ratls::server
