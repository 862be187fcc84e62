// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "ratls/result.h"

namespace ratls::pccs {

/// Answer is what a GET gave: 200 or 404; every other status is an error.
struct Answer {
  long status = 0;
  std::string body;
  std::string chain;  ///< the issuer chain's header, still encoded; empty: none
};

/// Limits is until when an answer is waited for.
struct Limits {
  std::chrono::steady_clock::time_point deadline;
  std::stop_token stop;
};

/// get asks once, and up to twice more after connection errors, 429 and 5xx. Blocks: at most 15
/// seconds for each, and not past the limits. Thread-safety: any thread.
/// Errors: collateral_unavailable, collateral_number_retired, collateral_server_untrusted,
/// proxy_unsupported, proxy_failed, internal.
Result<Answer> get(const std::string& url, const std::optional<std::string>& ca_pem,
                   const Limits& limits);

}  // namespace ratls::pccs
