// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ratls/bytes.h"
#include "ratls/tcb.h"
#include "ratls/time.h"
#include "tcb/svn_level.h"

namespace ratls::tcb {

using Fmspc = FixedBytes<6, struct FmspcTag>;
using PceId = FixedBytes<2, struct PceIdTag>;
using Components = std::array<std::uint8_t, 16>;

/// TcbLevel is one row of TCB info: a platform is at this level when all its numbers reach it.
struct TcbLevel {
  Components sgx_components{};
  Components tdx_components{};  ///< of TDX TCB info; zero otherwise
  std::uint16_t pce_svn = 0;
  TcbStatus status = TcbStatus::not_supported;
  UnixTime date{};
  std::vector<std::string> advisories;
};

/// TdxModule is what must be true of a TDX module: the signer, and attributes that are all zero.
struct TdxModule {
  FixedBytes<48, struct TdxModuleSignerTag> mr_signer;
  FixedBytes<8, struct TdxModuleAttributesTag> attributes;
  FixedBytes<8, struct TdxModuleAttributesTag> attributes_mask;
};

/// TdxModuleIdentity is the module of one version, with levels of its own.
struct TdxModuleIdentity {
  std::string id;  ///< in capitals; of another than module_id() no module is
  TdxModule module;
  std::vector<SvnLevel> levels;  ///< at least one
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
  std::vector<TcbLevel> levels;                          ///< at least one
  std::optional<TdxModule> tdx_module;                   ///< of TDX TCB info
  std::vector<TdxModuleIdentity> tdx_module_identities;  ///< none twice
  /// What is wrong with the part about TDX: missing, malformed, or there although id is SGX. Such
  /// TCB info may not be used; it is kept because that it is for another TEE comes before.
  std::optional<Error> tdx_defect;
};

/// parse_tcb_info reads the JSON text of the member tcbInfo, strictly: no duplicate keys, no
/// unknown status, numbers in range, levels without equals, which are sorted from high to low.
/// Caller must still: have checked the signature over exactly these bytes first.
/// Errors: tcb_info_malformed.
Result<TcbInfo> parse_tcb_info(std::string_view json);

/// module_id is the id of the identity of a module version: "TDX_03" for 3.
std::string module_id(std::uint8_t version);

/// find_module gives the identity of a module version; null when there is none.
const TdxModuleIdentity* find_module(const TcbInfo& info, std::uint8_t version) noexcept;

/// PlatformNumbers is what a platform brings to the levels: of the PCK certificate, and for TDX the
/// TEE_TCB_SVN of the TD report.
struct PlatformNumbers {
  Components sgx_components{};
  std::uint16_t pce_svn = 0;
  std::optional<Components> tee_tcb_svn;
};

/// match_level gives the first level that the platform reaches: every component and pce_svn at
/// least the level's (PCS API v4, "How to determine TCB level"). Of TEE_TCB_SVN the first two
/// numbers do not count when the module has an identity of its own, that is when [1] is above 0.
/// Null when no level is reached.
const TcbLevel* match_level(const TcbInfo& info, const PlatformNumbers& platform) noexcept;

}  // namespace ratls::tcb
