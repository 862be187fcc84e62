// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace ratls {

/// TcbStatus is Intel's word for the state of a platform (PCS API v4, "tcbStatus").
enum class TcbStatus {
  up_to_date,
  sw_hardening_needed,
  configuration_needed,
  configuration_and_sw_hardening_needed,
  out_of_date,
  out_of_date_configuration_needed,
  td_relaunch_advised,  ///< TDX only
  td_relaunch_advised_configuration_needed,
  revoked,
  not_supported,  ///< below every level; never written by Intel, always refused
};

/// to_string gives Intel's spelling: "UpToDate", "SWHardeningNeeded".
std::string_view to_string(TcbStatus status) noexcept;

/// parse_tcb_status reads Intel's spelling, exactly.
std::optional<TcbStatus> parse_tcb_status(std::string_view text) noexcept;

}  // namespace ratls
