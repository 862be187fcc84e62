// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ratls/collateral.h"

namespace ratls {

/// PccsOptions says which collateral is asked for, and who vouches for the service's name.
struct PccsOptions {
  bool early = false;                              ///< update=early in place of standard
  std::optional<std::uint32_t> evaluation_number;  ///< in place of update
  std::optional<std::string> ca_pem;               ///< absent: the system's CAs
};

/// open_pccs gives a source that asks Intel's service ("pcs") or a PCCS at a base address, each
/// time (with_cache of ratls/collateral.h keeps answers). Thread-safety: of the source, any thread.
/// Blocks: find does, on the network, at most 30 seconds. Errors: policy_invalid for the address;
/// of find: collateral_unavailable, collateral_platform_unknown, collateral_number_retired,
/// collateral_server_untrusted, collateral_malformed, proxy_unsupported, proxy_failed, internal.
Result<std::unique_ptr<CollateralSource>> open_pccs(const std::string& url,
                                                    const PccsOptions& options,
                                                    const TrustRoot& root);

}  // namespace ratls
