// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "cli/commands.h"
#include "cli/print.h"
#include "config/endpoint.h"
#include "ratls/server.h"
#include "server/builtin_routes.h"
#include "server/workers.h"

namespace ratls::cli {
namespace {

using config::Settings;

bool is_unspecified(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

constexpr const char* kGramineFiles = "/dev/attestation";

/// settings_of puts what the flags say on top of what the file says. Errors: those of the file.
Result<Settings> settings_of(const ServeArguments& arguments) {
  if (arguments.config_file.empty()) return arguments.settings;
  RATLS_TRY(const Settings file, config::load_settings(arguments.config_file));
  // Either program takes the words of `serve`.
  RATLS_TRY(const Arguments again, parse_arguments(kServerProgram, arguments.words, file));
  return std::get<ServeArguments>(again).settings;
}

// Gramine encrypts what goes between its processes over pipes and UNIX sockets, but TCP goes
// through the host in plain, also on its loopback.
Result<void> check_plain_tcp(const Settings& settings) {
  std::error_code ignored;
  const bool in_enclave =
      settings.tee.tee.starts_with("gramine") || std::filesystem::exists(kGramineFiles, ignored);
  if (!settings.upstream.starts_with("http:") || !in_enclave) return {};
  return Error(Code::usage, "--upstream",
               "inside an enclave TCP is in plain sight of the host, also to 127.0.0.1: use a "
               "UNIX socket, or let ratls start the app with {fd}");
}

/// Plan is what settings come to.
struct Plan {
  ServerOptions server;
  CertificateOptions certificate;
};

Result<Plan> plan_of(const Settings& settings) {
  RATLS_CHECK(check_plain_tcp(settings));
  Plan plan{settings.server, settings.certificate};
  RATLS_TRY(auto endpoint, config::parse_endpoint(settings.listen, "--listen"));
  if (!is_unspecified(endpoint.host)) plan.certificate.names.push_back(endpoint.host);
  plan.server.host = std::move(endpoint.host);
  plan.server.port = endpoint.port;
  if (!settings.admin_listen.empty()) {
    RATLS_TRY(auto admin, config::parse_endpoint(settings.admin_listen, "--admin"));
    plan.server.admin_host = std::move(admin.host);
    plan.server.admin_port = admin.port;
  }
  RATLS_CHECK(server::check_options(plan.server));
  RATLS_CHECK(check_certificate_options(plan.certificate));
  return plan;
}

/// set_up_app lets the server pass requests on to an app.
Result<void> set_up_app(Server& server, const Settings& settings) {
  if (settings.workers && settings.command.empty()) {
    return Error(Code::usage, "--workers", "it goes with a command after --");
  }
  if (!settings.upstream.empty()) RATLS_CHECK(server.forward_to(settings.upstream));
  if (settings.command.empty()) return {};
  return server.run_app(config::app_options(settings));
}

Result<void> set_up(Server& server, const Settings& settings) {
  RATLS_TRY(auto staple, make_staple(settings));
  if (staple) server.staple(std::move(staple));
  if (settings.upstream.empty() && settings.command.empty()) add_builtin_routes(server);
  return set_up_app(server, settings);
}

/// reload goes from the running settings to those that the file has now, or changes nothing.
Result<void> reload(Server& server, const ServeArguments& arguments, const QuoteSource& source,
                    Settings& running) {
  RATLS_TRY(Settings next, settings_of(arguments));
  const auto allowed = config::check_reload(running, next);
  if (!allowed) return allowed.error().in(arguments.config_file);
  RATLS_TRY(const Plan plan, plan_of(next));
  std::optional<Attester> attester;
  if (next.certificate != running.certificate) {
    RATLS_TRY(attester, Attester::create(source, plan.certificate));
  }
  RATLS_CHECK(server.apply(plan.server, std::move(attester)));
  server::set_log_options(next.log);
  running = std::move(next);
  return {};
}

Result<void> run_server(const ServeArguments& arguments) {
  RATLS_TRY(Settings settings, settings_of(arguments));
  RATLS_TRY(const Plan plan, plan_of(settings));
  Server server(plan.server);
  RATLS_CHECK(set_up(server, settings));
  if (arguments.check) {
    print("the configuration can be used\n");
    return {};
  }
  server::set_log_options(settings.log);
  RATLS_TRY(const QuoteSource source, quote_source_of(settings.tee));
  RATLS_TRY(Attester attester, Attester::create(source, plan.certificate));
  if (!arguments.config_file.empty()) {
    server.on_reload([&] { return reload(server, arguments, source, settings); });
  }
  RATLS_CHECK(server.start(std::move(attester)));
  print_ready(server.url() + "/");
  server.run_until_signal();
  return {};
}

}  // namespace

int serve(const ServeArguments& arguments) {
  Server::block_signals();  // one that comes right after the ready line ends the server cleanly too
  if (!arguments.config_file.empty()) Server::block_reload_signal();
  const auto served = run_server(arguments);
  return served ? 0 : print_error(served.error());
}

}  // namespace ratls::cli
