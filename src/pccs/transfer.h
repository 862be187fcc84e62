// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "ratls/result.h"

namespace ratls::pccs {

/// Answer is what a GET gave: 200 or 404; every other status is an error.
struct Answer {
  long status = 0;
  std::string body;
  std::string chain;  ///< the issuer chain's header, still encoded; empty: none
};

/// get asks once, and up to twice more after connection errors, 429 and 5xx. Blocks.
/// Errors: collateral_unavailable, collateral_number_retired, collateral_server_untrusted,
/// proxy_unsupported, internal.
Result<Answer> get(const std::string& url, const std::optional<std::string>& ca_pem);

}  // namespace ratls::pccs
