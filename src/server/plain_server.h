// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/workers.h"

namespace ratls::server {

/// PlainServer answers HTTP without TLS, to this machine only: for services whose answers are
/// signed or tell nothing. Thread-safety: route() before start(); the rest from one thread.
class PlainServer {
 public:
  explicit PlainServer(ServerOptions options) : options_(std::move(options)) {}

  void route(std::string method, std::string path, Handler handler) {
    router_.add(std::move(method), std::move(path), std::move(handler));
  }

  /// start listens and returns while threads serve.
  /// Errors: config_invalid for an address that is not the loopback's, listen_failed, internal.
  Result<void> start();
  /// url is "http://host:port", after start.
  std::string url() const;
  /// stop ends as Server::stop does.
  void stop();

 private:
  ServerOptions options_;
  Router router_;
  std::unique_ptr<Workers> workers_;
};

}  // namespace ratls::server
