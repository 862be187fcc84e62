// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/print.h"

namespace ratls::cli {
namespace {

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + printable(word);
  return out;
}

std::string sentence(std::string_view text) { return std::string(text) + ".\n"; }
std::string warning(std::string_view text) { return "warning: " + sentence(text); }

std::string named(std::string_view kind, const std::string& name) {
  return std::string(kind) + (name.empty() ? "" : " \"" + printable(name) + "\"");
}

template <class Fixed>
void add_hex(std::vector<std::string>& parts, const char* name, const std::optional<Fixed>& value) {
  if (value) parts.push_back(fmt::format("{} {}", name, to_hex(*value)));
}

void add_number(std::vector<std::string>& parts, const char* name,
                const std::optional<std::uint16_t>& value) {
  if (value) parts.push_back(fmt::format("{} {}", name, *value));
}

std::string identity(const EnclaveIdentity& enclave) {
  std::vector<std::string> parts;
  add_hex(parts, "mr_enclave", enclave.mr_enclave);
  add_hex(parts, "mr_signer", enclave.mr_signer);
  add_number(parts, "isv_prod_id", enclave.isv_prod_id);
  add_number(parts, "isv_svn at least", enclave.min_isv_svn);
  add_hex(parts, "isv_family_id", enclave.isv_family_id);
  add_hex(parts, "isv_ext_prod_id", enclave.isv_ext_prod_id);
  add_hex(parts, "config_id", enclave.config_id);
  add_number(parts, "config_svn at least", enclave.min_config_svn);
  add_hex(parts, "attributes", enclave.attributes);
  add_hex(parts, "attributes_mask", enclave.attributes_mask);
  add_hex(parts, "misc_select", enclave.misc_select);
  add_hex(parts, "misc_select_mask", enclave.misc_select_mask);
  return sentence("accepts " + named("the enclave", enclave.name) + " with " + join(parts));
}

std::string identity(const TdIdentity& td) {
  std::vector<std::string> parts;
  add_hex(parts, "mr_td", td.mr_td);
  add_hex(parts, "rtmr0", td.rtmr[0]);
  add_hex(parts, "rtmr1", td.rtmr[1]);
  add_hex(parts, "rtmr2", td.rtmr[2]);
  add_hex(parts, "rtmr3", td.rtmr[3]);
  add_hex(parts, "mr_config_id", td.mr_config_id);
  add_hex(parts, "mr_owner", td.mr_owner);
  add_hex(parts, "mr_owner_config", td.mr_owner_config);
  if (td.sept_ve_disable) parts.emplace_back("the attribute SEPT_VE_DISABLE");
  return sentence("accepts " + named("the TD", td.name) + " with " + join(parts));
}

std::string list(const char* name, const std::optional<std::vector<std::string>>& allowed) {
  if (!allowed) return sentence(fmt::format("accepts any {}", name));
  if (allowed->empty()) return sentence(fmt::format("accepts no {}", name));
  return sentence(fmt::format("accepts the {} {}", name, join(*allowed)));
}

std::string tcb(const TcbPolicy& policy) {
  std::vector<std::string> words;
  for (const TcbStatus status : policy.accept) words.emplace_back(to_string(status));
  std::string out =
      sentence(words.empty() ? "accepts no TCB status" : "accepts the TCB status " + join(words));
  out += list("advisory", policy.accept_advisories);
  if (!policy.reject_advisories.empty()) {
    out += sentence("refuses the advisory " + join(policy.reject_advisories));
  }
  out +=
      sentence(fmt::format("accepts TCB evaluation numbers from {}", policy.min_evaluation_number));
  if (policy.out_of_date_grace.count() > 0) {
    out += sentence(fmt::format("accepts OutOfDate for {} after the date of the level",
                                format_duration(policy.out_of_date_grace)));
  }
  return out + sentence(fmt::format("accepts collateral up to an age of {}",
                                    format_duration(policy.max_collateral_age)));
}

std::string session(const SessionPolicy& policy) {
  std::string out = sentence(fmt::format("accepts certificates for at most {}",
                                         format_duration(policy.max_certificate_lifetime)));
  if (policy.fresh) out += sentence("demands evidence made for the session");
  if (policy.check_name) out += sentence("demands the name of the URL in the certificate");
  if (policy.require_attested_end) out += sentence("demands an attested end of the certificate");
  if (!policy.server_keys) return out + sentence("accepts any attested key");
  std::vector<std::string> keys;
  for (const auto& key : *policy.server_keys) keys.push_back(to_hex(key));
  return out + sentence(keys.empty() ? "accepts no key" : "accepts the key " + join(keys));
}

std::string status_warnings(const TcbPolicy& policy) {
  std::string out;
  for (const TcbStatus status : policy.accept) {
    // Only these two need nothing of the platform's owner.
    if (status == TcbStatus::up_to_date || status == TcbStatus::sw_hardening_needed) continue;
    out += warning(fmt::format("{} is accepted: these platforms need an update or a setting",
                               to_string(status)));
  }
  return out;
}

std::string tcb_warnings(const TcbPolicy& policy) {
  std::string out = status_warnings(policy);
  const bool wider = policy.accept != std::vector{TcbStatus::up_to_date};
  if (wider && !policy.accept_advisories) {
    out += warning("accept_advisories is absent: any advisory passes with the wider statuses");
  }
  if (policy.min_evaluation_number == 0) {
    out += warning("min_evaluation_number is 0: an old baseline of Intel's passes");
  }
  if (policy.out_of_date_grace.count() > 0) {
    out += warning("out_of_date_grace is above 0: known holes pass for that time");
  }
  if (policy.max_collateral_age > std::chrono::days(30)) {
    out += warning("max_collateral_age is above 30d: revoked platforms pass for longer");
  }
  return out;
}

}  // namespace

std::string policy_warnings(const Policy& policy, Root root) {
  std::string out;
  for (const EnclaveIdentity& enclave : policy.enclaves) {
    if (enclave.mr_enclave) continue;
    out += warning(named("the enclave", enclave.name) +
                   " is named by its signer: whatever this key signs for the product passes");
  }
  out += tcb_warnings(policy.tcb);
  if (policy.session.max_certificate_lifetime > std::chrono::days(90)) {
    out += warning("max_certificate_lifetime is above 90d: a stolen key is of use for longer");
  }
  if (!policy.session.server_keys && !policy.platform.ppid) {
    out += warning(
        "neither server_keys nor ppid is set: accepted is this code on some genuine machine");
  }
  if (policy.dangerous_allow_debug) {
    out += warning("allow_debug is set: the host can read the memory of what is accepted");
  }
  if (policy.dangerous_allow_unmeasured_guest) {
    out += warning("allow_unmeasured_guest is set: a TD may run any system");
  }
  if (root == Root::other) {
    out += warning("the root is not Intel's: what is accepted is SIMULATED");
  }
  return out;
}

std::string policy_summary(const Policy& policy, Root root) {
  std::string out;
  for (const EnclaveIdentity& enclave : policy.enclaves) out += identity(enclave);
  for (const TdIdentity& td : policy.tds) out += identity(td);
  out += tcb(policy.tcb);
  out += list("fmspc", policy.platform.fmspc);
  out += list("ppid", policy.platform.ppid);
  out += list("pck_ca", policy.platform.pck_ca);
  out += sentence("takes collateral from " + join(policy.collateral.sources));
  if (policy.collateral.update == CollateralPolicy::Update::early) {
    out += sentence("asks for the early baseline");
  }
  out += session(policy.session);
  out +=
      sentence(root == Root::intel ? "trusts Intel's root" : "trusts a root that is not Intel's");
  return out + policy_warnings(policy, root);
}

}  // namespace ratls::cli
