// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/thread.h"
#include "server/worker.h"

namespace ratls::server {

/// check_options says which of them is out of range. Errors: config_invalid.
Result<void> check_options(const ServerOptions& options);

/// Workers is the running part of a server: a listener and an event loop for each thread.
/// Thread-safety: none.
class Workers {
 public:
  /// listen checks the options and opens the listeners; tls may be null for plain HTTP, upstreams
  /// where there is no app behind the server, local unless it is a local proxy. All must live
  /// longer. Errors: config_invalid, listen_failed.
  static Result<std::unique_ptr<Workers>> listen(const ServerOptions& options, const Router& router,
                                                 const ServerTls* tls, Upstreams* upstreams,
                                                 const http::LocalProxy* local = nullptr);
  ~Workers();  // stops

  /// offer lets clients ask for evidence of their sessions. Before start().
  void offer(SessionEvidence& evidence) { service_.session_evidence = &evidence; }

  /// start lets the threads serve. Errors: internal.
  Result<void> start();
  /// stop ends as Server::stop does. begin_stop only tells the threads.
  void begin_stop();
  void stop();

  /// apply lets them go on with other limits and times. Errors: config_invalid.
  Result<void> apply(const ServerOptions& options);

  /// are_alive is true when each event loop has come around since the last call, with which it
  /// begins.
  bool are_alive();

  std::uint16_t port() const noexcept { return port_; }
  /// service and metrics tell how busy the workers are. Thread-safety: any thread.
  const Service& service() const noexcept { return service_; }
  std::vector<const WorkerMetrics*> metrics() const;

 private:
  Workers(std::size_t most_turned_away, const Router& router, const ServerTls* tls,
          Upstreams* upstreams, const http::LocalProxy* local)
      : service_{most_turned_away, router, tls, upstreams, local} {}

  Service service_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Thread> threads_;
};

/// url_of is "SCHEME://host:port", with brackets around a bare IPv6 address.
std::string url_of(std::string_view scheme, const std::string& host, std::uint16_t port);

}  // namespace ratls::server
