// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ratls/bytes.h"
#include "ratls/tcb.h"
#include "ratls/time.h"

namespace ratls::tcb {

using Fmspc = FixedBytes<6, struct FmspcTag>;
using PceId = FixedBytes<2, struct PceIdTag>;
using Components = std::array<std::uint8_t, 16>;

/// TcbLevel is one row of TCB info: a platform is at this level when all its numbers reach it.
struct TcbLevel {
  Components sgx_components{};
  std::uint16_t pce_svn = 0;
  TcbStatus status = TcbStatus::not_supported;
  UnixTime date{};
  std::vector<std::string> advisories;
};

/// TcbInfo is Intel's word on the TCB levels of one platform family (PCS API v4, "TCB Info";
/// versions 2 and 3). Levels are sorted, highest first.
struct TcbInfo {
  enum class Id { sgx, tdx };
  Id id = Id::sgx;
  int version = 0;
  UnixTime issue_date{};
  UnixTime next_update{};
  Fmspc fmspc;
  PceId pce_id;
  std::uint32_t evaluation_number = 0;
  std::vector<TcbLevel> levels;  ///< at least one
};

/// parse_tcb_info reads the JSON text of the member tcbInfo, strictly: no duplicate keys, no
/// unknown status, numbers in range, levels without equals, which are sorted from high to low.
/// Caller must still: have checked the signature over exactly these bytes first.
/// Errors: tcb_info_malformed.
Result<TcbInfo> parse_tcb_info(std::string_view json);

/// match_level gives the first level that the platform reaches: every component and pce_svn at
/// least the level's (PCS API v4, "How to determine TCB level"); null when none does.
const TcbLevel* match_level(const TcbInfo& info, const Components& sgx_components,
                            std::uint16_t pce_svn) noexcept;

}  // namespace ratls::tcb
