// SPDX-License-Identifier: Apache-2.0
#include "verifier/steps.h"

namespace ratls::verifier {
namespace {

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

Code refusal_code(TcbStatus status) {
  switch (status) {
    case TcbStatus::out_of_date:
    case TcbStatus::out_of_date_configuration_needed:
      return Code::tcb_out_of_date;
    case TcbStatus::td_relaunch_advised:
    case TcbStatus::td_relaunch_advised_configuration_needed:
      return Code::tcb_td_relaunch_advised;
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
      return Code::tcb_configuration_needed;
    case TcbStatus::sw_hardening_needed:
      return Code::tcb_sw_hardening_needed;
    case TcbStatus::revoked:
      return Code::tcb_revoked;
    case TcbStatus::up_to_date:  // a policy may leave even this one out
    case TcbStatus::not_supported:
      break;
  }
  return status == TcbStatus::not_supported ? Code::tcb_not_supported : Code::tcb_out_of_date;
}

std::string accepted_words(const TcbPolicy& policy) {
  std::vector<std::string> words;
  for (TcbStatus status : policy.accept) words.emplace_back(to_string(status));
  return join(words);
}

// The grace counts from the date of the level that made the status OutOfDate, the earliest first.
std::optional<UnixTime> grace_end(const TcbPolicy& policy, const Report& report) {
  if (report.tcb_status != TcbStatus::out_of_date || policy.out_of_date_grace.count() == 0) {
    return std::nullopt;
  }
  // An outdated QE or TDX module hides that the platform needs more than an update; the host
  // chooses them, and must not win by taking older ones.
  const TcbStatus platform = *report.platform_tcb_status;
  if (platform != TcbStatus::out_of_date && platform != TcbStatus::up_to_date &&
      std::ranges::find(policy.accept, platform) == policy.accept.end()) {
    return std::nullopt;
  }
  std::optional<UnixTime> since;
  const auto consider = [&](std::optional<TcbStatus> status, std::optional<UnixTime> date) {
    if (status == TcbStatus::out_of_date && date && (!since || *date < *since)) since = date;
  };
  consider(report.platform_tcb_status, report.tcb_date);
  consider(report.module_tcb_status, report.module_tcb_date);
  consider(report.qe_tcb_status, report.qe_tcb_date);
  if (since) *since += policy.out_of_date_grace;
  return since;
}

Result<UnixTime> check_status(const TcbPolicy& policy, UnixTime now, const Report& report) {
  const TcbStatus status = *report.tcb_status;
  const bool never = status == TcbStatus::revoked || status == TcbStatus::not_supported;
  const bool listed = std::ranges::find(policy.accept, status) != policy.accept.end();
  if (listed && !never) return UnixTime::max();
  const auto end = grace_end(policy, report);
  if (end && now <= *end) return *end;
  std::string where = "fmspc " + report.fmspc.value_or("unknown");
  if (!report.advisories.empty()) where += ", advisories " + join(report.advisories);
  std::string detail = "the status is " + std::string(to_string(status)) + " (platform " +
                       std::string(to_string(*report.platform_tcb_status));
  if (report.module_tcb_status) {
    detail += ", TDX module " + std::string(to_string(*report.module_tcb_status));
  }
  detail += ", QE " + std::string(to_string(*report.qe_tcb_status)) + ")";
  if (!never) detail += ", the policy accepts " + accepted_words(policy);
  return Error(refusal_code(status), std::move(where), std::move(detail));
}

Result<void> check_advisories(const TcbPolicy& policy, const Report& report) {
  for (const std::string& advisory : report.advisories) {
    if (contains(policy.reject_advisories, advisory)) {
      return Error(Code::tcb_advisory_not_accepted, "tcb.reject_advisories", advisory);
    }
    if (policy.accept_advisories && !contains(*policy.accept_advisories, advisory)) {
      return Error(Code::tcb_advisory_not_accepted, "tcb.accept_advisories",
                   advisory + " applies and is not listed");
    }
  }
  return {};
}

Result<void> check_allowed(const std::optional<std::vector<std::string>>& allowed,
                           const std::optional<std::string>& got, std::string_view key) {
  if (!allowed || (got && contains(*allowed, *got))) return {};
  return Error(Code::platform_not_allowed, "platform." + std::string(key),
               "got " + got.value_or("none") + ", the policy allows " +
                   (allowed->empty() ? "none" : join(*allowed)));
}

template <std::size_t N, class A, class B>
bool equal_under_mask(const FixedBytes<N, A>& got, const FixedBytes<N, B>& wanted,
                      const std::optional<FixedBytes<N, B>>& mask) {
  for (std::size_t i = 0; i < N; ++i) {
    const std::uint8_t bits = mask ? mask->bytes[i] : 0xff;
    if ((got.bytes[i] & bits) != (wanted.bytes[i] & bits)) return false;
  }
  return true;
}

FixedBytes<4, struct ReportedMiscSelectTag> misc_select_bytes(std::uint32_t value) {
  return {{static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
           static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)}};
}

// The first field in which the enclave differs from an entry, or none.
std::optional<std::string> first_difference(const EnclaveIdentity& wanted,
                                            const EnclaveReport& got) {
  if (wanted.mr_enclave && *wanted.mr_enclave != got.mr_enclave) {
    return "mr_enclave is " + to_hex(got.mr_enclave) + ", wanted " + to_hex(*wanted.mr_enclave);
  }
  if (wanted.mr_signer && *wanted.mr_signer != got.mr_signer) {
    return "mr_signer is " + to_hex(got.mr_signer) + ", wanted " + to_hex(*wanted.mr_signer);
  }
  if (wanted.isv_prod_id && *wanted.isv_prod_id != got.isv_prod_id) {
    return "isv_prod_id is " + std::to_string(got.isv_prod_id) + ", wanted " +
           std::to_string(*wanted.isv_prod_id);
  }
  if (wanted.min_isv_svn && got.isv_svn < *wanted.min_isv_svn) {
    return "isv_svn is " + std::to_string(got.isv_svn) + ", wanted at least " +
           std::to_string(*wanted.min_isv_svn);
  }
  if (wanted.isv_family_id && *wanted.isv_family_id != got.isv_family_id) return "isv_family_id";
  if (wanted.isv_ext_prod_id && *wanted.isv_ext_prod_id != got.isv_ext_prod_id) {
    return "isv_ext_prod_id";
  }
  if (wanted.config_id && *wanted.config_id != got.config_id) return "config_id";
  if (wanted.min_config_svn && got.config_svn < *wanted.min_config_svn) return "config_svn";
  if (wanted.attributes &&
      !equal_under_mask(got.attributes, *wanted.attributes, wanted.attributes_mask)) {
    return "attributes are " + to_hex(got.attributes);
  }
  if (wanted.misc_select && !equal_under_mask(misc_select_bytes(got.misc_select),
                                              *wanted.misc_select, wanted.misc_select_mask)) {
    return "misc_select is " + to_hex(misc_select_bytes(got.misc_select));
  }
  return std::nullopt;
}

Result<void> check_attributes(const Policy& policy, const EnclaveReport& enclave) {
  if (enclave.debug() && !policy.dangerous_allow_debug) {
    return Error(Code::enclave_debug, "report.attributes", "the DEBUG bit is set");
  }
  const std::uint64_t flags = attribute_flags(enclave.attributes);
  if ((flags & kAttributeInit) == 0 || (flags & kAttributeMode64) == 0) {
    return Error(Code::enclave_attributes, "report.attributes", "INIT and MODE64 must be set");
  }
  if ((flags & (kAttributeProvisionKey | kAttributeEinitTokenKey)) != 0) {
    return Error(Code::enclave_attributes, "report.attributes",
                 "the enclave may use provisioning or launch keys");
  }
  return {};
}

// The first field in which the TD differs from an entry, or none.
std::optional<std::string> first_difference(const TdIdentity& wanted, const TdReport& got) {
  if (wanted.mr_td && *wanted.mr_td != got.mr_td) {
    return "mr_td is " + to_hex(got.mr_td) + ", wanted " + to_hex(*wanted.mr_td);
  }
  for (std::size_t i = 0; i < wanted.rtmr.size(); ++i) {
    if (wanted.rtmr[i] && *wanted.rtmr[i] != got.rtmr[i]) {
      return "rtmr" + std::to_string(i) + " is " + to_hex(got.rtmr[i]) + ", wanted " +
             to_hex(*wanted.rtmr[i]);
    }
  }
  if (wanted.mr_config_id && *wanted.mr_config_id != got.mr_config_id) return "mr_config_id";
  if (wanted.mr_owner && *wanted.mr_owner != got.mr_owner) return "mr_owner";
  if (wanted.mr_owner_config && *wanted.mr_owner_config != got.mr_owner_config) {
    return "mr_owner_config";
  }
  if (wanted.sept_ve_disable && (attribute_bits(got.td_attributes) & kTdSeptVeDisable) == 0) {
    return "td_attributes lack SEPT_VE_DISABLE";
  }
  return std::nullopt;
}

Result<void> check_attributes(const Policy& policy, const TdReport& td) {
  if (td.debug() && !policy.dangerous_allow_debug) {
    return Error(Code::enclave_debug, "report.td_attributes", "the DEBUG bit of the TD is set");
  }
  constexpr std::uint64_t kKnown = kTdDebug | kTdLass | kTdSeptVeDisable | kTdMigratable |
                                   kTdProtectionKeys | kTdKeyLocker | kTdTpa | kTdPerfmon;
  if ((attribute_bits(td.td_attributes) & ~kKnown) != 0) {
    return Error(Code::enclave_attributes, "report.td_attributes",
                 "reserved bits are set: " + to_hex(td.td_attributes));
  }
  return {};
}

}  // namespace

Result<UnixTime> check_tcb_policy(const Policy& policy, UnixTime now, const Report& report) {
  RATLS_TRY(const UnixTime end, check_status(policy.tcb, now, report));
  RATLS_CHECK(check_advisories(policy.tcb, report));
  if (*report.tcb_evaluation_number < policy.tcb.min_evaluation_number) {
    return Error(Code::tcb_evaluation_number_too_low, "collateral",
                 "number " + std::to_string(*report.tcb_evaluation_number) + ", wanted at least " +
                     std::to_string(policy.tcb.min_evaluation_number));
  }
  if (now > *report.collateral_issued + policy.tcb.max_collateral_age) {
    return Error(Code::collateral_too_old, "collateral",
                 "issued " + format_time(*report.collateral_issued) + ", the policy allows " +
                     format_duration(policy.tcb.max_collateral_age));
  }
  return end;
}

namespace {

// The first entry without a difference, or all differences.
template <class Identity, class Reported>
Result<void> find_entry(const std::vector<Identity>& entries, const Reported& got,
                        std::string_view kind, Report& report) {
  std::string differences;
  for (const Identity& wanted : entries) {
    const auto difference = first_difference(wanted, got);
    if (!difference) {
      report.matched_entry = wanted.name;
      return {};
    }
    differences += (differences.empty() ? "" : "; ") +
                   (wanted.name.empty() ? "" : "\"" + wanted.name + "\": ") + *difference;
  }
  if (entries.empty()) differences = "the policy has no [[" + std::string(kind) + "]] entry";
  return Error(Code::identity_mismatch, "report", std::move(differences));
}

}  // namespace

Result<void> check_identity_policy(const Policy& policy, Report& report) {
  if (report.enclave) {
    RATLS_CHECK(check_attributes(policy, *report.enclave));
    RATLS_CHECK(find_entry(policy.enclaves, *report.enclave, "enclave", report));
  } else {
    RATLS_CHECK(check_attributes(policy, *report.td));
    RATLS_CHECK(find_entry(policy.tds, *report.td, "td", report));
  }
  RATLS_CHECK(check_allowed(policy.platform.fmspc, report.fmspc, "fmspc"));
  RATLS_CHECK(check_allowed(policy.platform.ppid, report.ppid, "ppid"));
  return check_allowed(policy.platform.pck_ca, report.pck_ca, "pck_ca");
}

}  // namespace ratls::verifier
