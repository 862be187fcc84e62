// SPDX-License-Identifier: Apache-2.0
#include "policy/rules.h"

#include <algorithm>

#include "base/loopback.h"

namespace ratls {
namespace policy {
namespace {

Error refused(std::string_view where, std::string detail) {
  return Error(Code::policy_invalid, std::string(where), std::move(detail));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_advisory_character(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || c == '-'; }

bool is_zero(BytesView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

Result<void> check_lower_hex(std::string_view text, std::size_t digits, std::string_view where) {
  if (text.size() == digits && std::ranges::all_of(text, is_lower_hex)) return {};
  return refused(
      where, std::to_string(digits) + " hex digits are needed, got \"" + std::string(text) + "\"");
}

std::string_view authority_of(std::string_view url) {
  const std::string_view rest = url.substr(url.find("://") + 3);
  return rest.substr(0, rest.find('/'));
}

// The host of a URL must be there, and nothing that a base address cannot have: user data would end
// in logs, a query or fragment would swallow the path that is appended.
Result<void> check_base_url(std::string_view url, std::string_view where) {
  const std::string_view authority = authority_of(url);
  if (host_of(authority).empty()) return refused(where, "the URL has no host");
  const auto is_graphic = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::ranges::all_of(url, is_graphic)) {
    return refused(where, "the URL has spaces or characters outside of ASCII");
  }
  if (authority.find('@') != std::string_view::npos ||
      url.find_first_of("?#\\") != std::string_view::npos) {
    return refused(where, "the URL must be a base address, without user name, query or fragment");
  }
  return {};
}

// Longer ones would overflow when they are added to a time.
Result<void> check_duration(std::chrono::seconds duration, std::string_view where) {
  if (duration.count() < 0) return refused(where, "the duration is negative");
  if (duration > std::chrono::days(36600)) return refused(where, "more than 100 years");
  return {};
}

Result<void> check_tcb(const TcbPolicy& tcb) {
  for (TcbStatus status : tcb.accept) RATLS_CHECK(check_accepted_status(status, "tcb.accept"));
  if (tcb.accept_advisories) {
    for (const std::string& advisory : *tcb.accept_advisories) {
      RATLS_CHECK(check_advisory(advisory, "tcb.accept_advisories"));
    }
  }
  for (const std::string& advisory : tcb.reject_advisories) {
    RATLS_CHECK(check_advisory(advisory, "tcb.reject_advisories"));
  }
  RATLS_CHECK(check_duration(tcb.out_of_date_grace, "tcb.out_of_date_grace"));
  return check_duration(tcb.max_collateral_age, "tcb.max_collateral_age");
}

using TextRule = Result<void> (*)(std::string_view, std::string_view);

Result<void> check_each(const std::optional<std::vector<std::string>>& list, TextRule rule,
                        std::string_view where) {
  if (!list) return {};
  for (const std::string& text : *list) RATLS_CHECK(rule(text, where));
  return {};
}

Result<void> check_sources(const Policy& policy) {
  const std::vector<std::string>& sources = policy.collateral.sources;
  if (sources.empty()) {
    return refused("collateral.sources", "at least one source is needed");
  }
  RATLS_CHECK(check_each(sources, check_source, "collateral.sources"));
  // Stapled collateral is chosen by the attested host, which could answer with an old baseline.
  if (std::ranges::find(sources, "stapled") != sources.end() &&
      policy.tcb.min_evaluation_number == 0) {
    return refused("collateral.sources",
                   "\"stapled\" needs [tcb] min_evaluation_number above 0, because the server "
                   "chooses the baseline");
  }
  return {};
}

}  // namespace

Result<void> check_enclave(const EnclaveIdentity& identity, std::string_view where) {
  if (!identity.mr_enclave && !identity.mr_signer) {
    return refused(where, "the entry names neither mr_enclave nor mr_signer");
  }
  // No SHA-256 is zero: such a value is a template that was not filled in.
  if (identity.mr_enclave && is_zero(identity.mr_enclave->view())) {
    return refused(where, "mr_enclave is all zeros, which no enclave has");
  }
  if (identity.mr_signer && is_zero(identity.mr_signer->view())) {
    return refused(where, "mr_signer is all zeros, which no signer has");
  }
  // A signer vouches for everything it ever signed, test builds and old versions included.
  if (!identity.mr_enclave && !(identity.isv_prod_id && identity.min_isv_svn)) {
    return refused(where, "mr_signer needs isv_prod_id and min_isv_svn beside it");
  }
  if (identity.attributes_mask && !identity.attributes) {
    return refused(where, "attributes_mask needs attributes beside it");
  }
  if (identity.misc_select_mask && !identity.misc_select) {
    return refused(where, "misc_select_mask needs misc_select beside it");
  }
  return {};
}

UnmeasuredGuest unmeasured_guest(const Policy& policy) noexcept {
  return policy.dangerous_allow_unmeasured_guest ? UnmeasuredGuest::allowed
                                                 : UnmeasuredGuest::refused;
}

Result<void> check_td(const TdIdentity& identity, UnmeasuredGuest unmeasured,
                      std::string_view where) {
  if (!identity.mr_td) return refused(where, "the entry does not name mr_td");
  if (is_zero(identity.mr_td->view())) {
    return refused(where, "mr_td is all zeros, which no TD has");
  }
  // 0 and 3 are left out: which machine was asked for, and what the running system adds, do not say
  // which system was started, and a system that adds nothing has zeros in 3.
  for (const std::size_t i : {1UL, 2UL}) {
    const std::string name = "rtmr" + std::to_string(i);
    const std::optional<Rtmr>& value = identity.rtmr[i];
    // The firmware of a cloud is the same for all its guests: mr_td alone accepts every one of
    // them.
    if (!value && unmeasured == UnmeasuredGuest::refused) {
      return refused(where,
                     name + " is needed too: mr_td measures the firmware only, not the system");
    }
    if (value && is_zero(value->view())) {
      return refused(where, name + " is all zeros, which no measured system has");
    }
  }
  return {};
}

Result<void> check_accepted_status(TcbStatus status, std::string_view where) {
  if (status != TcbStatus::revoked && status != TcbStatus::not_supported) return {};
  return refused(where, std::string(to_string(status)) + " can never be accepted");
}

void accept_conditions(const TcbConditions& conditions, TcbPolicy& tcb) {
  const auto& [out_of_date, configuration, hardening] = conditions;
  const std::initializer_list<std::pair<TcbStatus, bool>> statuses{
      {TcbStatus::out_of_date, out_of_date},
      {TcbStatus::configuration_needed, configuration},
      {TcbStatus::sw_hardening_needed, hardening},
      {TcbStatus::configuration_and_sw_hardening_needed, configuration && hardening},
      {TcbStatus::out_of_date_configuration_needed, out_of_date && configuration},
  };
  for (const auto& [status, accepted] : statuses) {
    if (accepted) tcb.accept.push_back(status);
  }
}

Result<void> check_advisory(std::string_view advisory, std::string_view where) {
  constexpr std::string_view kVendor = "INTEL-";
  constexpr std::string_view kSecurity = "INTEL-SA-";
  bool right = advisory.size() > kVendor.size() && advisory.starts_with(kVendor) &&
               std::ranges::all_of(advisory, is_advisory_character);
  if (right && advisory.starts_with(kSecurity)) {
    const std::string_view number = advisory.substr(kSecurity.size());
    right = number.size() == 5 && std::ranges::all_of(number, is_digit);
  }
  if (right) return {};
  return refused(where, "\"" + std::string(advisory) + "\" is not written as INTEL-SA-00615");
}

Result<void> check_fmspc(std::string_view fmspc, std::string_view where) {
  return check_lower_hex(fmspc, 12, where);
}

Result<void> check_ppid(std::string_view ppid, std::string_view where) {
  return check_lower_hex(ppid, 32, where);
}

Result<void> check_pck_ca(std::string_view pck_ca, std::string_view where) {
  if (pck_ca == "platform" || pck_ca == "processor") return {};
  return refused(where,
                 "\"platform\" or \"processor\" is needed, got \"" + std::string(pck_ca) + "\"");
}

Result<void> check_source(std::string_view source, std::string_view where) {
  if (source == "pcs" || source == "stapled") return {};
  if (source.starts_with("file:")) {
    if (source.size() > std::string_view("file:").size()) return {};
    return refused(where, "\"file:\" needs a path after it");
  }
  if (source.starts_with("https://")) return check_base_url(source, where);
  if (source.starts_with("http://")) {
    RATLS_CHECK(check_base_url(source, where));
    if (is_loopback(host_of(authority_of(source)))) return {};
    return refused(where, "http:// is for servers on this machine only; others need https://");
  }
  return refused(where, "\"" + std::string(source) +
                            "\" is no source: \"pcs\", \"stapled\", \"file:PATH\" and "
                            "\"https://...\" are");
}

}  // namespace policy

Result<void> check_policy(const Policy& policy) {
  if (policy.enclaves.empty() && policy.tds.empty()) {
    return Error(Code::policy_empty, "policy", "there is no [[enclave]] and no [[td]] entry");
  }
  for (std::size_t i = 0; i < policy.enclaves.size(); ++i) {
    RATLS_CHECK(policy::check_enclave(policy.enclaves[i], "enclave[" + std::to_string(i) + "]"));
  }
  const auto unmeasured = policy::unmeasured_guest(policy);
  for (std::size_t i = 0; i < policy.tds.size(); ++i) {
    RATLS_CHECK(policy::check_td(policy.tds[i], unmeasured, "td[" + std::to_string(i) + "]"));
  }
  RATLS_CHECK(policy::check_tcb(policy.tcb));
  RATLS_CHECK(policy::check_each(policy.platform.fmspc, policy::check_fmspc, "platform.fmspc"));
  RATLS_CHECK(policy::check_each(policy.platform.ppid, policy::check_ppid, "platform.ppid"));
  RATLS_CHECK(policy::check_each(policy.platform.pck_ca, policy::check_pck_ca, "platform.pck_ca"));
  RATLS_CHECK(policy::check_sources(policy));
  if (policy.session.max_certificate_lifetime.count() < 0) {
    return policy::refused("session.max_certificate_lifetime", "the duration is negative");
  }
  return {};
}

}  // namespace ratls
