// SPDX-License-Identifier: Apache-2.0
#include "config/endpoint.h"

namespace ratls::config {

Result<Endpoint> parse_endpoint(const std::string& text, const std::string& where) {
  const auto wrong = [&] { return Error(Code::usage, where, "\"" + text + "\" is not HOST:PORT"); };
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

}  // namespace ratls::config
