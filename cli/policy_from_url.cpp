// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/file.h"
#include "base/reader.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "evidence/evidence.h"
#include "ratls/client.h"
#include "x509/certificate.h"

namespace ratls::cli {
namespace {

EnclaveIdentity identity_of(const EnclaveReport& report) {
  EnclaveIdentity identity;
  identity.mr_enclave = report.mr_enclave;
  return identity;
}

TdIdentity identity_of(const TdReport& report) {
  TdIdentity identity;
  identity.mr_td = report.mr_td;
  for (std::size_t i = 0; i < report.rtmr.size(); ++i) identity.rtmr[i] = report.rtmr[i];
  return identity;
}

// Who the server says it is, unverified: the second connection must prove exactly this.
Result<void> name_identity(const std::string& url, Policy& policy) {
  policy.enclaves.clear();
  policy.tds.clear();
  RATLS_TRY(const Bytes der, fetch_certificate(url));
  RATLS_TRY(const x509::Certificate certificate,
            x509::parse_certificate(der, Code::certificate_malformed));
  RATLS_TRY(const evidence::Evidence evidence, evidence::read_evidence(certificate));
  if (const EnclaveReport* enclave = evidence.quote.enclave()) {
    policy.enclaves.push_back(identity_of(*enclave));
  } else {
    policy.tds.push_back(identity_of(*evidence.quote.td()));
  }
  return {};
}

Result<Policy> base_policy(const PolicyFromUrlArguments& arguments) {
  Policy policy;
  if (!arguments.policy_file.empty()) {
    RATLS_TRY(policy, load_policy(arguments.policy_file));
  }
  if (!arguments.collateral_file.empty()) {
    policy.collateral.sources = {"file:" +
                                 std::filesystem::absolute(arguments.collateral_file).string()};
  } else if (!arguments.pccs.empty()) {
    policy.collateral.sources = {arguments.pccs};
  }
  return policy;
}

Result<Report> verified_report(const std::string& url, Policy policy) {
  RATLS_CHECK(name_identity(url, policy));
  RATLS_TRY(Client client, Client::create(url, std::move(policy), command_client_options()));
  RATLS_TRY(const auto session, client.connect());
  return session->peer().report();
}

std::string entry_text(const Report& report) {
  if (report.enclave) {
    return fmt::format(
        "[[enclave]]\n"
        "name = \"first seen\"\n"
        "mr_enclave = \"{}\"\n",
        to_hex(report.enclave->mr_enclave));
  }
  const TdReport& td = *report.td;
  std::string text =
      fmt::format("[[td]]\nname = \"first seen\"\nmr_td = \"{}\"\n", to_hex(td.mr_td));
  for (std::size_t i = 0; i < td.rtmr.size(); ++i) {
    text += fmt::format("rtmr{} = \"{}\"\n", i, to_hex(td.rtmr[i]));
  }
  return text;
}

// Nothing of what the base policy loosens is written; what it says of root and sources is named, so
// that the user puts it there herself.
std::string policy_text(const std::string& url, const Report& report, bool has_base) {
  std::string text = fmt::format(
      "# Trust on first use: this is the server that answered at\n"
      "#   {}\n"
      "# on {}. All was verified but who it is. Compare the\n"
      "# measurement with the one that its builder publishes.\n"
      "version = 1\n"
      "{}"
      "[tcb]\n"
      "min_evaluation_number = {}\n",
      printable(url), format_time(report.checked_at), entry_text(report),
      *report.tcb_evaluation_number);
  if (has_base) {
    text +=
        "# The verification used the root, the sources and the accepted TCB of another policy.\n"
        "# They are not repeated here; without them Intel's root and the defaults count.\n";
  }
  return text;
}

Result<std::string> policy_of_server(const PolicyFromUrlArguments& arguments) {
  RATLS_TRY(Policy policy, base_policy(arguments));
  RATLS_TRY(const Report report, verified_report(arguments.url, std::move(policy)));
  std::string text = policy_text(arguments.url, report, !arguments.policy_file.empty());
  RATLS_TRY([[maybe_unused]] const Policy parsed, parse_policy(text, "."));
  return text;
}

}  // namespace

int policy_from_url(const PolicyFromUrlArguments& arguments) {
  const auto text = policy_of_server(arguments);
  if (!text) return print_error(text.error());
  if (arguments.output_file.empty()) {
    return print(*text) ? 0 : print_error(Error(Code::file_unwritable, "stdout", ""));
  }
  const auto written = write_new_file(arguments.output_file, as_bytes(*text), FileMode::shared);
  return written ? 0 : print_error(written.error());
}

}  // namespace ratls::cli
