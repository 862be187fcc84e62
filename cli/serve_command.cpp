// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "cli/commands.h"
#include "cli/print.h"
#include "ratls/server.h"
#include "server/builtin_routes.h"

namespace ratls::cli {
namespace {

bool is_unspecified(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

constexpr const char* kGramineFiles = "/dev/attestation";

// Gramine encrypts what goes between its processes over pipes and UNIX sockets, but TCP goes
// through the host in plain, also on its loopback.
Result<void> check_plain_tcp(const ServeArguments& arguments) {
  const bool in_enclave =
      arguments.tee.tee.starts_with("gramine") || std::filesystem::exists(kGramineFiles);
  if (!arguments.upstream.starts_with("http:") || !in_enclave) return {};
  return Error(Code::usage, "--upstream",
               "inside an enclave TCP is in plain sight of the host, also to 127.0.0.1: use a "
               "UNIX socket, or let ratls start the app with {fd}");
}

Result<void> set_admin(ServerOptions& options, const std::string& address) {
  if (address.empty()) return {};
  RATLS_TRY(const Endpoint endpoint, parse_listen(address, "--admin"));
  options.admin_host = endpoint.host;
  options.admin_port = endpoint.port;
  return {};
}

/// set_up_app lets the server pass requests on to an app.
Result<void> set_up_app(Server& server, const ServeArguments& arguments) {
  if (arguments.workers && arguments.command.empty()) {
    return Error(Code::usage, "--workers", "it goes with a command after --");
  }
  if (!arguments.upstream.empty()) {
    RATLS_CHECK(server.forward_to(arguments.upstream));
  }
  if (arguments.command.empty()) return {};
  AppOptions app;
  app.command = arguments.command;
  app.processes = arguments.workers.value_or(1);
  return server.run_app(std::move(app));
}

}  // namespace

int serve(const ServeArguments& arguments) {
  Server::block_signals();  // one that comes right after the ready line ends the server cleanly too
  if (const auto plain = check_plain_tcp(arguments); !plain) return print_error(plain.error());
  const auto endpoint = parse_listen(arguments.listen);
  if (!endpoint) return print_error(endpoint.error());
  CertificateArguments certificate = arguments.certificate;
  if (!is_unspecified(endpoint->host)) certificate.names.push_back(endpoint->host);
  auto staple = make_staple(arguments);
  if (!staple) return print_error(staple.error());
  auto attester = make_attester(arguments.tee, certificate, "24h");
  if (!attester) return print_error(attester.error());
  ServerOptions options;
  options.host = endpoint->host;
  options.port = endpoint->port;
  options.threads = arguments.threads;
  options.lowest_tls = arguments.tls12 ? TlsVersion::tls12 : TlsVersion::tls13;
  if (const auto admin = set_admin(options, arguments.admin); !admin) {
    return print_error(admin.error());
  }
  Server server(options);
  if (*staple) server.staple(std::move(*staple));
  if (arguments.upstream.empty() && arguments.command.empty()) add_builtin_routes(server);
  if (const auto app = set_up_app(server, arguments); !app) return print_error(app.error());
  const auto started = server.start(std::move(*attester));
  if (!started) return print_error(started.error());
  print_ready(server.url() + "/");
  server.run_until_signal();
  return 0;
}

}  // namespace ratls::cli
