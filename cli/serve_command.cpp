// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/print.h"
#include "ratls/server.h"
#include "server/builtin_routes.h"

namespace ratls::cli {
namespace {

bool is_unspecified(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

}  // namespace

int serve(const ServeArguments& arguments) {
  Server::block_signals();  // one that comes right after the ready line ends the server cleanly too
  const auto endpoint = parse_listen(arguments.listen);
  if (!endpoint) return print_error(endpoint.error());
  CertificateArguments certificate = arguments.certificate;
  if (!is_unspecified(endpoint->host)) certificate.names.push_back(endpoint->host);
  auto attester = make_attester(arguments.tee, certificate, "24h");
  if (!attester) return print_error(attester.error());
  ServerOptions options;
  options.host = endpoint->host;
  options.port = endpoint->port;
  options.threads = arguments.threads;
  options.lowest_tls = arguments.tls12 ? TlsVersion::tls12 : TlsVersion::tls13;
  auto staple = make_staple(arguments);
  if (!staple) return print_error(staple.error());
  Server server(options);
  if (*staple) server.staple(std::move(*staple));
  add_builtin_routes(server);
  const auto started = server.start(std::move(*attester));
  if (!started) return print_error(started.error());
  print_ready(server.url() + "/");
  server.run_until_signal();
  return 0;
}

}  // namespace ratls::cli
