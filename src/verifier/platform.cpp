// SPDX-License-Identifier: Apache-2.0
#include "verifier/steps.h"

namespace ratls::verifier {
namespace {

Result<void> check_dates(const x509::Certificate& certificate, UnixTime now, Code code,
                         std::string_view where) {
  if (now < certificate.not_before) {
    return Error(
        code, std::string(where),
        "valid from " + format_time(certificate.not_before) + ", checked at " + format_time(now));
  }
  if (now > certificate.not_after) {
    return Error(
        code, std::string(where),
        "valid until " + format_time(certificate.not_after) + ", checked at " + format_time(now));
  }
  return {};
}

// Leaf, intermediate and root, the root first.
Result<void> check_dates_of(std::array<const x509::Certificate*, 3> chain, UnixTime now) {
  RATLS_CHECK(check_dates(*chain[2], now, Code::pck_chain_expired, "pck_chain[2]"));
  RATLS_CHECK(check_dates(*chain[1], now, Code::pck_chain_expired, "pck_chain[1]"));
  return check_dates(*chain[0], now, Code::pck_chain_expired, "pck_chain[0]");
}

// Intel PCK profile 1.3: what the three certificates are called and may do.
Result<void> check_roles(const x509::Certificate& leaf, const x509::Certificate& intermediate) {
  const auto wrong = [](std::string_view where, std::string detail) {
    return Error(Code::pck_chain_untrusted, std::string(where), std::move(detail));
  };
  if (leaf.subject_common_name.find("SGX PCK Certificate") == std::string::npos) {
    return wrong("pck_chain[0].subject",
                 "\"" + leaf.subject_common_name + "\" is no SGX PCK Certificate");
  }
  const x509::Oid sgx = x509::sgx_extension_oid();
  if (leaf.unknown_critical({sgx}) != nullptr || intermediate.unknown_critical({}) != nullptr) {
    return wrong("pck_chain", "an unknown critical extension");
  }
  RATLS_CHECK(x509::check_profile(leaf, Code::pck_chain_untrusted, "pck_chain[0]"));
  RATLS_CHECK(x509::check_profile(intermediate, Code::pck_chain_untrusted, "pck_chain[1]"));
  if (leaf.is_ca.value_or(false))
    return wrong("pck_chain[0].basic_constraints", "the leaf is a CA");
  if (intermediate.subject_common_name.find("SGX PCK Platform CA") == std::string::npos &&
      intermediate.subject_common_name.find("SGX PCK Processor CA") == std::string::npos) {
    return wrong("pck_chain[1].subject", "\"" + intermediate.subject_common_name +
                                             "\" is no SGX PCK Platform or Processor CA");
  }
  if (!intermediate.is_ca.value_or(false)) {
    return wrong("pck_chain[1].basic_constraints", "the intermediate is no CA");
  }
  // RFC 5280 6.1.4 (n) and 6.3.3 (f).
  constexpr std::uint16_t kSigns = 1U << 5 | 1U << 6;  // keyCertSign, cRLSign
  if ((intermediate.key_usage.value_or(0) & kSigns) != kSigns) {
    return wrong("pck_chain[1].key_usage", "the intermediate may not sign certificates and CRLs");
  }
  return {};
}

void report_platform(const PckChain& chain, const TrustRoot& root, Report& report) {
  report.fmspc = to_hex(chain.extension.fmspc);
  report.pce_id = to_hex(chain.extension.pce_id);
  report.ppid = to_hex(chain.extension.ppid);
  const bool platform =
      chain.intermediate.subject_common_name.find("Platform") != std::string::npos;
  report.pck_ca = platform ? "platform" : "processor";
  for (const x509::Certificate* certificate :
       {&root.impl().certificate, &chain.intermediate, &chain.leaf}) {
    report.chain.push_back(
        {certificate->subject_common_name, certificate->not_before, certificate->not_after});
  }
}

}  // namespace

Result<void> check_chain_dates(const PckChain& chain, const TrustRoot& root, UnixTime now) {
  return check_dates_of({&chain.leaf, &chain.intermediate, &root.impl().certificate}, now);
}

// Step B (Intel QVL, PckCertVerifier; RFC 5280 6.1.3 for signatures and dates).
Result<std::shared_ptr<const PckChain>> verify_pck_chain(
    std::vector<x509::Certificate> certificates, const Trust& trust, UnixTime now, Report& report) {
  if (certificates.size() != 3) {
    return Error(Code::pck_chain_malformed, "pck_chain",
                 "leaf, intermediate and root are needed, got " +
                     std::to_string(certificates.size()) + " certificates");
  }
  // The pinned root is compared byte for byte: Intel's superseded root has the same name and key.
  const x509::Certificate& trusted = trust.root().impl().certificate;
  if (!std::ranges::equal(certificates[2].der, trusted.der)) {
    return Error(Code::root_untrusted, "pck_chain[2]",
                 "root with SHA-256 " + to_hex(crypto::sha256(certificates[2].der)) +
                     ", trusted is " + to_hex(crypto::sha256(trusted.der)));
  }
  const Code untrusted = Code::pck_chain_untrusted;
  RATLS_CHECK(check_roles(certificates[0], certificates[1]));
  RATLS_TRY(auto intermediate_key, x509::p256_key(certificates[1], untrusted));
  if (!trust.signed_by(certificates[1], trusted, trust.root().impl().key)) {
    return Error(untrusted, "pck_chain[1]", "not signed by the root");
  }
  RATLS_TRY(auto leaf_key, x509::p256_key(certificates[0], untrusted));
  if (!trust.signed_by(certificates[0], certificates[1], intermediate_key)) {
    return Error(untrusted, "pck_chain[0]", "not signed by the intermediate");
  }
  RATLS_CHECK(check_dates_of({&certificates[0], &certificates[1], &trusted}, now));
  RATLS_TRY(auto extension, x509::parse_pck_extension(certificates[0]));
  const auto chain =
      std::make_shared<const PckChain>(PckChain{.leaf = std::move(certificates[0]),
                                                .intermediate = std::move(certificates[1]),
                                                .leaf_key = std::move(leaf_key),
                                                .intermediate_key = std::move(intermediate_key),
                                                .extension = std::move(extension)});
  report_platform(*chain, trust.root(), report);
  return chain;
}

namespace {

// Step B for the chain that the quote brings.
Result<void> examine_chain(Subject& subject, const Trust& trust, UnixTime now, Report& report) {
  const CertificationData& data = subject.quote.signature.certification_data;
  subject.chain = trust.known_chain(data.body);
  if (subject.chain != nullptr) {
    RATLS_CHECK(check_chain_dates(*subject.chain, trust.root(), now));
    report_platform(*subject.chain, trust.root(), report);
    return {};
  }
  RATLS_TRY(auto certificates, x509::parse_pem_chain(data.body, 3, Code::pck_chain_malformed));
  RATLS_TRY(subject.chain, verify_pck_chain(std::move(certificates), trust, now, report));
  trust.remember_chain(data.body, subject.chain);
  return {};
}

}  // namespace

Result<void> examine_platform(Subject& subject, const Trust& trust, UnixTime now, Report& report,
                              const StepListener& on_step) {
  report.quote_version = subject.quote.header.version;
  report.tee = subject.quote.tee();
  const CertificationData& data = subject.quote.signature.certification_data;
  if (data.type != CertificationType::pck_chain) return {};  // the collateral brings the chain
  return told(on_step, kPckChain, [&] { return examine_chain(subject, trust, now, report); });
}

// Steps A and Q.
Result<void> examine_binding(BytesView der, Subject& subject, Report& report) {
  RATLS_TRY(subject.certificate, x509::parse_certificate(der, Code::certificate_malformed));
  const x509::Certificate& certificate = *subject.certificate;
  report.certificate_not_before = certificate.not_before;
  report.certificate_not_after = certificate.not_after;
  report.server_key_sha256 = to_hex(crypto::sha256(certificate.spki));
  RATLS_TRY(subject.evidence, evidence::read_evidence(certificate));
  const evidence::Evidence& evidence = *subject.evidence;
  report.evidence_format = evidence::to_string(evidence.format);
  report.legacy_evidence_unevaluated = evidence.legacy_quote.has_value();
  RATLS_CHECK(evidence::check_binding(evidence, certificate));
  RATLS_TRY(subject.endorsements, evidence::find_endorsements(certificate));
  subject.quote = evidence.quote;
  return {};
}

Result<void> examine_session(BytesView value, const SessionExporter& exporter, Subject& subject,
                             Report& report) {
  RATLS_TRY(evidence::Evidence session, evidence::read_session_evidence(value));
  RATLS_CHECK(evidence::check_session(session, *subject.evidence, *subject.certificate, exporter));
  report.evidence_format = evidence::to_string(session.format);
  subject.quote = session.quote;
  subject.evidence = std::move(session);
  subject.fresh = true;
  return {};
}

// Step C (Intel QVL, PckCrlVerifier; RFC 5280 6.3.3).
Result<void> check_crls(const PckChain& chain, const PreparedCollateral::Parts& parts,
                        UnixTime now) {
  const auto check_crl_dates = [&](const x509::Crl& crl, std::string_view where) -> Result<void> {
    if (now >= crl.this_update && now <= crl.next_update) return {};
    return Error(Code::crl_expired, std::string(where),
                 "valid from " + format_time(crl.this_update) + " to " +
                     format_time(crl.next_update) + ", checked at " + format_time(now));
  };
  if (!parts.root_crl) return parts.root_crl.error();
  if (!parts.pck_crl) return parts.pck_crl.error();
  const x509::Crl& pck_crl = *parts.pck_crl;
  const bool signer_known =
      parts.pck_crl_signer &&
      std::ranges::equal(parts.pck_crl_signer->certificate.der, chain.intermediate.der);
  if (!signer_known && !x509::signed_by(pck_crl, chain.intermediate, chain.intermediate_key)) {
    return Error(Code::crl_untrusted, "pck_crl",
                 "not issued and signed by " + chain.intermediate.subject_common_name);
  }
  RATLS_CHECK(check_crl_dates(*parts.root_crl, "root_ca_crl"));
  RATLS_CHECK(check_crl_dates(pck_crl, "pck_crl"));
  if (parts.root_crl->revokes(chain.intermediate)) {
    return Error(Code::certificate_revoked, "pck_chain[1]",
                 "serial " + to_hex(chain.intermediate.serial) + " is in the root's CRL");
  }
  if (pck_crl.revokes(chain.leaf)) {
    return Error(Code::certificate_revoked, "pck_chain[0]",
                 "serial " + to_hex(chain.leaf.serial) + " is in the CRL of its CA");
  }
  return {};
}

namespace {

// What TCB info and QE identity have in common: signing chain, revocation, dates (steps D and E).
template <class Content>
Result<void> check_document(const SignedPart<Content>& part, const x509::Crl& root_crl,
                            UnixTime now, Code expired, std::string_view name) {
  const std::string signer = std::string(name) + "_issuer_chain[0]";
  if (root_crl.revokes(part.signing_certificate)) {
    return Error(Code::certificate_revoked, signer, "the TCB signing certificate is revoked");
  }
  RATLS_CHECK(check_dates(part.signing_certificate, now, Code::tcb_chain_expired, signer));
  if (now >= part.content.issue_date && now <= part.content.next_update) return {};
  return Error(expired, std::string(name),
               "valid from " + format_time(part.content.issue_date) + " to " +
                   format_time(part.content.next_update) + ", checked at " + format_time(now));
}

}  // namespace

Result<void> check_tcb_info(Tee tee, const PreparedCollateral::Parts& parts, UnixTime now) {
  if (!parts.tcb_info) return parts.tcb_info.error();
  const tcb::TcbInfo& tcb_info = parts.tcb_info->content;
  if (tcb_info.id != (tee == Tee::sgx ? tcb::TcbInfo::Id::sgx : tcb::TcbInfo::Id::tdx)) {
    return Error(Code::tcb_info_mismatch, "tcb_info.id", "it is for the other kind of TEE");
  }
  if (tcb_info.tdx_defect) return *tcb_info.tdx_defect;
  return check_document(*parts.tcb_info, *parts.root_crl, now, Code::tcb_info_expired, "tcb_info");
}

Result<void> check_qe_identity(Tee tee, const PreparedCollateral::Parts& parts, UnixTime now) {
  if (!parts.qe_identity) return parts.qe_identity.error();
  const tcb::QeIdentity& identity = parts.qe_identity->content;
  if (identity.id != (tee == Tee::sgx ? tcb::QeIdentity::Id::qe : tcb::QeIdentity::Id::td_qe)) {
    return Error(Code::qe_identity_mismatch, "qe_identity.id", "it is for another kind of enclave");
  }
  return check_document(*parts.qe_identity, *parts.root_crl, now, Code::qe_identity_expired,
                        "qe_identity");
}

Result<void> check_platform_numbers(const PckChain& chain, const tcb::TcbInfo& tcb_info) {
  if (!std::ranges::equal(tcb_info.fmspc.bytes, chain.extension.fmspc.bytes)) {
    return Error(Code::tcb_info_mismatch, "tcb_info.fmspc",
                 to_hex(tcb_info.fmspc) + ", the platform's is " + to_hex(chain.extension.fmspc));
  }
  if (!std::ranges::equal(tcb_info.pce_id.bytes, chain.extension.pce_id.bytes)) {
    return Error(Code::tcb_info_mismatch, "tcb_info.pce_id",
                 to_hex(tcb_info.pce_id) + ", the platform's is " + to_hex(chain.extension.pce_id));
  }
  return {};
}

void report_collateral(const PckChain& chain, const PreparedCollateral::Parts& parts,
                       Report& report) {
  const tcb::TcbInfo& tcb_info = parts.tcb_info->content;
  const tcb::QeIdentity& identity = parts.qe_identity->content;
  report.tcb_evaluation_number = std::min(tcb_info.evaluation_number, identity.evaluation_number);
  report.collateral_issued = std::min(tcb_info.issue_date, identity.issue_date);
  report.collateral_expires =
      std::min({tcb_info.next_update, identity.next_update, parts.root_crl->next_update,
                parts.pck_crl->next_update, parts.tcb_info->signing_certificate.not_after,
                parts.qe_identity->signing_certificate.not_after, chain.leaf.not_after,
                chain.intermediate.not_after, report.chain.front().not_after});
}

}  // namespace ratls::verifier
