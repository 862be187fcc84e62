// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/print.h"
#include "ratls/server.h"
#include "server/builtin_routes.h"

namespace ratls::cli {
namespace {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

// HOST:PORT, with an IPv6 address in brackets.
Result<Endpoint> parse_listen(const std::string& text) {
  const auto wrong = [&] {
    return Error(Code::usage, "--listen", "\"" + text + "\" is not HOST:PORT");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong();
  Endpoint endpoint{.host = text.substr(0, colon)};
  if (endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  } else if (endpoint.host.find(':') != std::string::npos) {
    return wrong();
  }
  const std::string port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos) {
    return wrong();
  }
  const unsigned long number = std::stoul(port);
  if (number > 65535 || endpoint.host.empty()) return wrong();
  endpoint.port = static_cast<std::uint16_t>(number);
  return endpoint;
}

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
  Server server(options);
  add_builtin_routes(server);
  const auto started = server.start(std::move(*attester));
  if (!started) return print_error(started.error());
  print_ready(server.url() + "/");
  server.run_until_signal();
  return 0;
}

}  // namespace ratls::cli
