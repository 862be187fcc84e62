// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ratls {

/// Code names a failure. Names and numbers are stable; texts are not, so nothing should parse
/// them. The hundreds digit is the group, and the group says what to do:
///   2 usage: fix the call, the policy file or the configuration   3 malformed: reject the peer
///   4 untrusted: reject and alert                 5 stale: refresh the collateral, retry once
///   6 tcb: patch the platform or accept in policy 7 policy: compare expected and got
///   8 unavailable: retry later, never accept      9 bug: report it
/// It is also the exit code of the command line tool and the status group of the C interface.
enum class Code : std::uint16_t {
  ok = 0,

  usage = 201,
  url_invalid = 202,
  policy_invalid = 203,
  policy_empty = 204,
  file_unreadable = 205,
  file_unwritable = 206,
  malformed_hex = 207,
  proxy_unsupported = 208,
  config_invalid = 209,
  command_not_run = 210,
  sigstruct_invalid = 211,

  evidence_missing = 301,
  certificate_malformed = 302,
  evidence_malformed = 303,
  evidence_duplicate = 304,
  evidence_conflict = 305,
  quote_malformed = 306,
  quote_unsupported = 307,
  certification_data_unsupported = 308,
  collateral_malformed = 309,
  tcb_info_malformed = 310,
  qe_identity_malformed = 311,
  key_unsupported = 312,

  // A chain or revocation list that cannot be read vouches for nobody: it belongs here too.
  root_untrusted = 401,
  pck_chain_untrusted = 402,
  crl_untrusted = 403,
  certificate_revoked = 404,
  tcb_chain_untrusted = 405,
  tcb_info_untrusted = 406,
  qe_identity_untrusted = 407,
  tcb_info_mismatch = 408,
  qe_identity_mismatch = 409,
  qe_report_untrusted = 410,
  attestation_key_unbound = 411,
  quote_untrusted = 412,
  certificate_unbound = 413,
  certificate_untrusted = 414,
  pck_chain_malformed = 415,
  crl_malformed = 416,
  tcb_chain_malformed = 417,
  tdx_module_mismatch = 418,

  pck_chain_expired = 501,
  crl_expired = 502,
  tcb_chain_expired = 503,
  tcb_info_expired = 504,
  qe_identity_expired = 505,
  collateral_too_old = 506,
  certificate_expired = 507,
  collateral_superseded = 508,

  tcb_out_of_date = 601,
  tcb_configuration_needed = 602,
  tcb_sw_hardening_needed = 603,
  tcb_revoked = 604,
  tcb_not_supported = 605,
  tcb_advisory_not_accepted = 606,
  tcb_evaluation_number_too_low = 607,
  tcb_td_relaunch_advised = 608,

  enclave_debug = 701,
  enclave_attributes = 702,
  identity_mismatch = 703,
  platform_not_allowed = 704,
  certificate_lifetime = 705,
  certificate_usage = 706,
  server_key_not_allowed = 707,
  evidence_not_fresh = 708,
  redirect_refused = 709,
  name_mismatch = 710,

  connection_failed = 801,
  handshake_failed = 802,
  connection_closed = 803,
  timeout = 804,
  collateral_unavailable = 805,
  quote_unavailable = 806,
  listen_failed = 807,
  platform_unavailable = 808,
  answer_too_large = 809,
  collateral_platform_unknown = 810,
  collateral_number_retired = 811,
  collateral_server_untrusted = 812,
  app_failed = 813,
  proxy_failed = 814,

  internal = 901,
};

/// CodeInfo is what is written down once about a code.
struct CodeInfo {
  Code code;
  std::string_view name;  ///< the stable name, as in the JSON report: "tcb_out_of_date"
  std::string_view text;  ///< one line of what it means
  std::string_view hint;  ///< one line of what to do next
};

/// describe gives the entry of a code. Thread-safety: any thread.
const CodeInfo& describe(Code code) noexcept;

/// all_codes lists every code, ok first. Thread-safety: any thread.
std::span<const CodeInfo> all_codes() noexcept;

/// exit_code is the group of a code: its hundreds digit, 0 to 9.
constexpr int exit_code(Code code) noexcept { return static_cast<int>(code) / 100; }

/// Error is a code with its place and its facts.
class Error {
 public:
  Error(Code code, std::string where, std::string detail)
      : code_(code), where_(std::move(where)), detail_(std::move(detail)) {}

  Code code() const noexcept { return code_; }
  /// where names the field, offset, certificate or file: "qe_report.signature".
  const std::string& where() const noexcept { return where_; }
  /// detail says what was found and what was wanted.
  const std::string& detail() const noexcept { return detail_; }
  /// hint says what to do next, by the code.
  std::string_view hint() const noexcept { return describe(code_).hint; }

  /// in gives the same error with an outer place before its own: "policy.toml: enclave[0]".
  Error in(std::string_view outer) const;

  /// message is one line: "tcb_out_of_date (601): platform TCB is OutOfDate".
  std::string message() const;

 private:
  Code code_;
  std::string where_;
  std::string detail_;
};

}  // namespace ratls
