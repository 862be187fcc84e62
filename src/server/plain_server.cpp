// SPDX-License-Identifier: Apache-2.0
#include "server/plain_server.h"

#include "server/listener.h"

namespace ratls::server {

Result<void> PlainServer::start() {
  RATLS_TRY(const auto endpoint, resolve_listen_address(options_.host, options_.port));
  if (!endpoint.address().is_loopback()) {
    return Error(Code::config_invalid, "host",
                 "plain http is for this machine only: 127.0.0.1, ::1 or localhost");
  }
  options_.host = endpoint.address().to_string();  // not what a name may be the next time
  RATLS_TRY(workers_, Workers::listen(options_, router_, nullptr, nullptr));
  return workers_->start();
}

std::string PlainServer::url() const { return url_of("http", options_.host, workers_->port()); }

void PlainServer::stop() {
  if (workers_ != nullptr) workers_->stop();
}

}  // namespace ratls::server
