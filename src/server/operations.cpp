// SPDX-License-Identifier: Apache-2.0
#include "server/operations.h"

#include <boost/asio/ip/address.hpp>

#include "base/text.h"
#include "http/write.h"

namespace ratls::server {
namespace {

/// is_name tells a name from an IP address and from localhost, in a Host header (RFC 9110 7.2).
bool is_name(std::string_view host) {
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  if (host.empty() || equal_ignoring_case(host, "localhost")) return false;
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(host), error);
  return error.failed();
}

/// guarded refuses what a web page asks for: a browser on this machine would ask in its name. It
/// has a browser send Origin (RFC 6454 7.3) or, of a page whose own name was made to lead here,
/// that name.
Handler guarded(Handler handler) {
  return [handler = std::move(handler)](const Request& request) {
    if (request.header("Origin").empty() && !is_name(request.header("Host"))) {
      return handler(request);
    }
    return http::refusal_response({403, "This is not for web pages: ask by address."});
  };
}

Response show_metrics(const Watched& watched) {
  return {200, {{"Content-Type", "text/plain; version=0.0.4"}}, metrics_text(watched)};
}

Response show_ready(const Watched& watched) {
  const std::string_view reason = why_not_ready(watched, system_now());
  if (reason.empty()) return Response::text("ready\n");
  return Response::text("not ready: " + std::string(reason) + "\n", 503);
}

Response answer_reload(const Result<void>& outcome) {
  if (outcome) return Response::text("loaded\n");
  const Error& error = outcome.error();
  // The values of a configuration are for those who may read the log.
  return http::refusal_response(
      {409, error.where() + ": " + std::string(describe(error.code()).name) + "; see the log"});
}

}  // namespace

std::string_view why_not_ready(const Watched& watched, UnixTime now) {
  switch (watched.metrics.phase.load()) {
    case Phase::starting:
      return "the server starts";
    case Phase::draining:
      return "the server stops";
    case Phase::serving:
      break;
  }
  if (now.time_since_epoch().count() >= watched.metrics.certificates.expires) {
    return "the certificate has expired";
  }
  if (watched.upstreams != nullptr && !watched.upstreams->any_up()) {
    return "no process of the app accepts connections";
  }
  return {};
}

Result<std::unique_ptr<PlainServer>> start_operations(const ServerOptions& options,
                                                      const Watched& watched,
                                                      std::function<Result<void>()> reload) {
  using std::chrono::seconds;
  auto server = std::make_unique<PlainServer>(ServerOptions{.host = options.admin_host,
                                                            .port = options.admin_port,
                                                            .threads = 1,
                                                            .max_body_bytes = 64 * 1024,
                                                            .max_connections = 16,
                                                            .max_queued = 16,
                                                            .request_timeout = seconds(5),
                                                            .keep_alive_timeout = seconds(15),
                                                            .drain_timeout = seconds(1)});
  server->route("GET", "/metrics",
                guarded([watched](const Request&) { return show_metrics(watched); }));
  server->route("GET", "/healthz",
                guarded([](const Request&) { return Response::text("alive\n"); }));
  server->route("GET", "/readyz",
                guarded([watched](const Request&) { return show_ready(watched); }));
  if (reload) {
    server->route("POST", "/reload", guarded([reload = std::move(reload)](const Request&) {
                    return answer_reload(reload());
                  }));
  }
  if (const auto started = server->start(); !started) return started.error().in("admin");
  return server;
}

}  // namespace ratls::server
