// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "ratls/result.h"

namespace ratls::config {

/// Endpoint is where to listen.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

/// parse_endpoint reads HOST:PORT, with an IPv6 address in brackets. Errors: usage, with where as
/// the place.
Result<Endpoint> parse_endpoint(const std::string& text, const std::string& where);

}  // namespace ratls::config
