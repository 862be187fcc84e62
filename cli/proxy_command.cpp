// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/print.h"
#include "client/url.h"
#include "config/endpoint.h"
#include "report/report.h"
#include "server/local_proxy.h"
#include "server/log.h"
#include "server/signals.h"

namespace ratls::cli {
namespace {

// Who presses Ctrl-C does not want to wait for a page's open streams.
constexpr std::chrono::seconds kDrainTimeout{2};

ClientOptions client_options(const ProxyArguments& arguments) {
  ClientOptions options;
  options.cache.dir = default_cache_dir();
  options.proxy = arguments.upstream_proxy;
  return options;
}

/// origin_of is the URL's origin as browsers write it. Paths would be wrong in links of the
/// server's. Errors: url_invalid.
Result<std::string> origin_of(const std::string& text) {
  RATLS_TRY(const client::Url url, client::parse_url(text));
  if (url.path != "/" || !url.query.empty()) {
    return Error(Code::url_invalid, text, "a proxy stands for a whole server: leave the path out");
  }
  std::string origin = url.origin;
  constexpr std::string_view kDefaultPort = ":443";
  if (origin.ends_with(kDefaultPort)) origin.resize(origin.size() - kDefaultPort.size());
  return origin;
}

Response show_status(const std::string& origin, const Client& client) {
  const auto verdict = client.last_verdict();
  nlohmann::ordered_json status = {{"server", origin}, {"verdict", nullptr}};
  if (verdict != nullptr) status["verdict"] = report_json(outcome_of(*verdict));
  return {200,
          {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          json_text(status)};
}

void log_verdict(const std::string& origin, const Verdict& verdict) {
  const Outcome outcome = outcome_of(verdict);
  server::log(outcome.accepted() ? server::LogLevel::info : server::LogLevel::error,
              origin + ": " + verdict_message(outcome));
}

Result<void> run_proxy(const ProxyArguments& arguments) {
  RATLS_TRY(const config::Endpoint listen, config::parse_endpoint(arguments.listen, "--listen"));
  RATLS_TRY(const std::string origin, origin_of(arguments.url));
  RATLS_TRY(Policy policy, make_policy(arguments.policy));
  RATLS_TRY(Client client, Client::create(origin, std::move(policy), client_options(arguments)));
  server::LocalProxyOptions options;
  options.server.host = listen.host;
  options.server.port = listen.port;
  options.server.drain_timeout = kDrainTimeout;
  options.server.access_log = arguments.access_log;
  options.names = arguments.names;
  options.origin_host = origin.substr(std::string_view("https://").size());
  if (arguments.any_address) options.reach = server::Reach::anybody;
  const auto dial = [&] {
    return client.dial([&](const auto& verdict) { log_verdict(origin, *verdict); });
  };
  const auto status = [&](const Request&) { return show_status(origin, client); };
  server::LocalProxyServer proxy(std::move(options), dial, status);
  RATLS_CHECK(proxy.start());
  print_ready(proxy.url());
  server::wait_for_termination();
  proxy.stop();
  return {};
}

}  // namespace

int proxy(const ProxyArguments& arguments) {
  server::block_termination_signals();
  const auto outcome = run_proxy(arguments);
  return outcome ? 0 : print_error(outcome.error());
}

}  // namespace ratls::cli
