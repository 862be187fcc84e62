// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ratls/tcb.h"
#include "ratls/time.h"
#include "tcb/strict_json.h"

namespace ratls::tcb {

/// SvnLevel is one row about a quoting enclave or a TDX module: reached by an isv_svn that is at
/// least the level's.
struct SvnLevel {
  std::uint16_t isv_svn = 0;
  TcbStatus status = TcbStatus::not_supported;  ///< up_to_date, out_of_date or revoked
  UnixTime date{};
  std::vector<std::string> advisories;
};

/// parse_svn_levels reads the member tcbLevels: at least one, without equals, sorted from high to
/// low. Errors: that of members.
Result<std::vector<SvnLevel>> parse_svn_levels(const Members& members);

/// match_level gives the first level that isv_svn reaches; null when none does.
const SvnLevel* match_level(const std::vector<SvnLevel>& levels, std::uint16_t isv_svn) noexcept;

}  // namespace ratls::tcb
