// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>

#include "cli/commands.h"
#include "cli/doctor.h"
#include "evidence/evidence.h"
#include "x509/certificate.h"

namespace ratls::cli {
namespace {

std::string evidence_text(const evidence::Evidence& evidence) {
  std::string text = evidence.format == evidence::Format::dice ? "DICE" : "Gramine's older format";
  if (evidence.legacy_quote) text += " and Gramine's older format";
  return text + ", a quote of " + (evidence.quote.enclave() != nullptr ? "an enclave" : "a TD");
}

Result<Finding> look_at_evidence(const Bytes& der) {
  RATLS_TRY(const x509::Certificate certificate,
            x509::parse_certificate(der, Code::certificate_malformed));
  RATLS_TRY(const evidence::Evidence evidence, evidence::read_evidence(certificate));
  return Finding{"evidence", FindingState::ok, evidence_text(evidence)};
}

// The steps of a verdict in their order (docs/verification.md), with what is said of one that was
// passed.
constexpr std::array<std::pair<const char*, const char*>, 5> kSteps = {
    {{"binding", "the quote vouches for the certificate's key"},
     {"chain", "the platform's certificates lead to the root"},
     {"collateral", "authentic and in date, and no certificate is revoked"},
     {"tcb", "the platform's state is accepted"},
     {"policy", "the identity is one that the policy names"}}};

/// step_of says which step a refusal belongs to.
std::string_view step_of(Code code) {
  switch (code) {
    case Code::root_untrusted:
    case Code::pck_chain_untrusted:
    case Code::pck_chain_malformed:
    case Code::pck_chain_expired:
      return "chain";
    case Code::certificate_unbound:
    case Code::certificate_untrusted:
    case Code::certificate_expired:
    case Code::evidence_conflict:
      return "binding";
    default:
      break;
  }
  switch (exit_code(code)) {
    case 3:
      return code == Code::collateral_malformed || code == Code::tcb_info_malformed ||
                     code == Code::qe_identity_malformed
                 ? "collateral"
                 : "binding";
    case 4:
    case 5:
    case 8:
      return "collateral";
    case 6:
      return "tcb";
    default:
      return "policy";
  }
}

/// add_steps tells a verdict step by step: what comes after a refusal was not reached.
void add_steps(Findings& findings, const Error* error) {
  bool reached = true;
  for (const auto& [name, passed] : kSteps) {
    if (!reached) {
      findings.push_back({name, FindingState::undecided, "was not reached"});
    } else if (error != nullptr && step_of(error->code()) == name) {
      findings.push_back(failure(name, *error));
      reached = false;
    } else {
      findings.push_back({name, FindingState::ok, passed});
    }
  }
}

void add_verdict(Findings& findings, const std::string& url, const PolicyOptions& options) {
  auto policy = judged_policy(options);
  if (!policy) return findings.push_back(failure("policy", policy.error()));
  auto client = Client::create(url, std::move(*policy), command_client_options());
  if (!client) return findings.push_back(failure("policy", client.error()));
  const auto session = client->connect();
  const auto verdict = client->last_verdict();
  if (!session && (verdict == nullptr || verdict->accepted())) {
    return findings.push_back(failure("session", session.error()));
  }
  const bool anybody = !names_identity(options);
  if (!session && anybody && session.error().code() == Code::identity_mismatch) {
    add_steps(findings, nullptr);
    findings.back() = {"policy", FindingState::undecided,
                       "none was given: nobody says who this should be",
                       "see ratls policy from-url, and give --policy"};
    return;
  }
  add_steps(findings, session ? nullptr : &session.error());
}

}  // namespace

Findings look_at_server(const std::string& url, const PolicyOptions& options) {
  Findings findings;
  const auto begun = std::chrono::steady_clock::now();
  const auto der = fetch_certificate(url);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begun);
  if (!der) return {failure("connection", der.error())};
  findings.push_back({"connection", FindingState::ok,
                      "TLS, with a certificate of " + std::to_string(der->size()) +
                          " bytes, after " + std::to_string(took.count()) + " ms"});
  const auto evidence = look_at_evidence(*der);
  if (!evidence) {
    findings.push_back(failure("evidence", evidence.error()));
    return findings;
  }
  findings.push_back(*evidence);
  add_verdict(findings, url, options);
  return findings;
}

}  // namespace ratls::cli
