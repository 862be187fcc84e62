// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ratls/quote.h"
#include "ratls/tcb.h"
#include "ratls/time.h"

namespace ratls {

/// EnclaveIdentity is one [[enclave]] entry: all that it states must hold. Either mr_enclave, or
/// mr_signer with isv_prod_id and min_isv_svn, must be there.
struct EnclaveIdentity {
  std::string name;
  std::optional<MrEnclave> mr_enclave;
  std::optional<MrSigner> mr_signer;
  std::optional<std::uint16_t> isv_prod_id;
  std::optional<std::uint16_t> min_isv_svn;
  std::optional<IsvFamilyId> isv_family_id;
  std::optional<IsvExtProdId> isv_ext_prod_id;
  std::optional<ConfigId> config_id;
  std::optional<std::uint16_t> min_config_svn;
  /// Reported value and-ed with the mask must equal value and-ed with the mask; without a mask all
  /// bits count. Bytes in the order of the report.
  std::optional<SgxAttributes> attributes;
  std::optional<SgxAttributes> attributes_mask;
  std::optional<FixedBytes<4, struct MiscSelectTag>> misc_select;
  std::optional<FixedBytes<4, struct MiscSelectTag>> misc_select_mask;
};

/// TdIdentity is one [[td]] entry: all that it states must hold. mr_td is the virtual firmware
/// only; rtmr1 and rtmr2 say which system runs, so all three must be there, unless
/// Policy::dangerous_allow_unmeasured_guest.
struct TdIdentity {
  std::string name;
  std::optional<MrTd> mr_td;
  std::array<std::optional<Rtmr>, 4> rtmr;
  std::optional<MrConfigId> mr_config_id;
  std::optional<MrOwner> mr_owner;
  std::optional<MrOwnerConfig> mr_owner_config;
  bool sept_ve_disable = false;  ///< true demands the attribute SEPT_VE_DISABLE
};

/// TcbPolicy is the [tcb] table.
struct TcbPolicy {
  std::vector<TcbStatus> accept{TcbStatus::up_to_date};  ///< never revoked or not_supported
  std::optional<std::vector<std::string>> accept_advisories;
  std::vector<std::string> reject_advisories;
  std::uint32_t min_evaluation_number = 0;
  std::chrono::seconds out_of_date_grace{0};
  std::chrono::seconds max_collateral_age = std::chrono::days(30);
};

/// PlatformPolicy is the [platform] table; an absent list allows all, an empty one nothing.
struct PlatformPolicy {
  std::optional<std::vector<std::string>> fmspc;   ///< 12 lower-case hex digits each
  std::optional<std::vector<std::string>> ppid;    ///< 32 lower-case hex digits each
  std::optional<std::vector<std::string>> pck_ca;  ///< "platform", "processor"
};

/// CollateralPolicy is the [collateral] table.
struct CollateralPolicy {
  std::vector<std::string> sources{"pcs"};
  enum class Update { standard, early };
  Update update = Update::standard;
  std::optional<std::uint32_t> evaluation_number;  ///< ask for this one, in place of update
  std::optional<std::string> ca_pem;  ///< absent: the system's CAs vouch for https sources
};

/// SessionPolicy is the [session] table.
struct SessionPolicy {
  bool fresh = false;
  std::chrono::seconds max_certificate_lifetime = std::chrono::days(90);
  bool check_name = false;
  bool require_attested_end = false;  ///< refuse certificates whose end is not attested
  std::optional<std::vector<FixedBytes<32, struct SpkiHashTag>>> server_keys;
};

/// Policy is what a relying party accepts. A default-constructed one names no identity and is
/// therefore refused by Verifier::create. Thread-safety: a value.
struct Policy {
  std::vector<EnclaveIdentity> enclaves;
  std::vector<TdIdentity> tds;
  TcbPolicy tcb;
  PlatformPolicy platform;
  CollateralPolicy collateral;
  SessionPolicy session;
  std::optional<std::string> root_pem;  ///< absent: Intel's root
  bool dangerous_allow_debug = false;
  bool dangerous_allow_unmeasured_guest = false;
  std::filesystem::path base_dir = ".";  ///< what "file:" sources are relative to
};

/// parse_policy reads a policy file's TOML text (version 1). An unknown key, a wrong type and a
/// value out of range are errors that name line and key. Relative paths count from base_dir; the
/// file of [trust] root is read at once. A key of the contract that this version cannot enforce
/// (session.ca) is refused, never ignored.
/// Errors: policy_invalid, policy_empty, file_unreadable.
Result<Policy> parse_policy(std::string_view toml, const std::filesystem::path& base_dir);

/// load_policy reads the file at path; relative paths in it count from its folder.
/// Blocks: on the file. Errors: those of parse_policy.
Result<Policy> load_policy(const std::filesystem::path& path);

/// load_policy_base reads a policy file that names no enclave and no TD, for a caller who adds
/// them. What the file does not say is as in defaults, which names none either. Blocks: on the
/// file. Errors: those of parse_policy but policy_empty; policy_invalid for a file that names some.
/// Caller must still: add identities; Verifier::create refuses a policy without.
Result<Policy> load_policy_base(const std::filesystem::path& path, Policy defaults = {});

/// check_policy says whether a policy made in code could have come from a file: at least one
/// enclave or TD, no signer alone, no TD without its system, no accepted Revoked or NotSupported,
/// stapled only with a minimum evaluation number. Errors: policy_invalid, policy_empty.
Result<void> check_policy(const Policy& policy);

}  // namespace ratls
