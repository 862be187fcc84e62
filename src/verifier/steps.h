// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "collateral/parts.h"
#include "evidence/evidence.h"
#include "ratls/verifier.h"
#include "verifier/trust.h"
#include "x509/certificate.h"

// The numbered steps of docs/verification.md. Each fills the report with what it has authenticated
// and ends at the first failure.
namespace ratls::verifier {

/// Subject is what is being verified.
struct Subject {
  Quote quote;
  CertificateContext context;
  std::optional<x509::Certificate> certificate;  ///< absent for a bare quote
  std::optional<evidence::Evidence> evidence;    ///< absent for a bare quote
  std::shared_ptr<const Bytes> endorsements;     ///< null when the certificate brings none
  bool fresh = false;                            ///< the evidence was made for this session
  std::shared_ptr<const PckChain> chain;  ///< null before step B, which may need the collateral
};

/// examine_binding is steps A and Q for a certificate. Errors: groups 3 and 4.
Result<void> examine_binding(BytesView der, Subject& subject, Report& report);

/// examine_session is step Q for a session's own evidence, which takes the place of the
/// certificate's. After examine_binding. Errors: evidence_malformed, certificate_unbound,
/// evidence_not_fresh, evidence_conflict, and those of parse_quote.
Result<void> examine_session(BytesView evidence, const SessionExporter& exporter, Subject& subject,
                             Report& report);

/// examine_platform is step B when the quote brings its PCK chain, or nothing.
Result<void> examine_platform(Subject& subject, const Trust& trust, UnixTime now, Report& report);

/// verify_pck_chain is step B. Errors: pck_chain_malformed, root_untrusted, pck_chain_untrusted,
/// pck_chain_expired.
Result<std::shared_ptr<const PckChain>> verify_pck_chain(
    std::vector<x509::Certificate> certificates, const Trust& trust, UnixTime now, Report& report);

/// check_chain_dates is the part of step B that depends on the time. Errors: pck_chain_expired.
Result<void> check_chain_dates(const PckChain& chain, const TrustRoot& root, UnixTime now);

/// judge is all that needs collateral, and the policy; the value is when the verdict ends.
Result<UnixTime> judge(const Subject& subject, const PreparedCollateral& collateral,
                       const Trust& trust, const Policy& policy, UnixTime now, Report& report);

/// check_crls is step C. Errors: crl_malformed, crl_untrusted, crl_expired, certificate_revoked.
Result<void> check_crls(const PckChain& chain, const PreparedCollateral::Parts& parts,
                        UnixTime now);

/// check_documents is steps D, E and F. Errors: the codes of TCB info, QE identity and their chain.
Result<void> check_documents(const Subject& subject, const PckChain& chain,
                             const PreparedCollateral::Parts& parts, UnixTime now, Report& report);

/// check_tdx_module is step G, for TDX. Errors: tdx_module_mismatch.
Result<void> check_tdx_module(const Quote& quote, const tcb::TcbInfo& info);

/// check_quote is steps H, I, J (all but the QE's level) and K: what the quote's signatures prove.
Result<void> check_quote(const Quote& quote, const PckChain& chain, const tcb::QeIdentity& identity,
                         const Trust& trust, Report& report);

/// match_tcb is steps J (the level), L, M and N. It refuses nothing: the status is in the report.
void match_tcb(const Quote& quote, const PckChain& chain, const PreparedCollateral::Parts& parts,
               Report& report);

/// check_tcb_policy is step O; the value is when a grace that was needed ends, or the end of all
/// times. Errors: group 6 and collateral_too_old.
Result<UnixTime> check_tcb_policy(const Policy& policy, UnixTime now, const Report& report);

/// check_identity_policy is step P with the platform allow lists. Errors: group 7.
Result<void> check_identity_policy(const Policy& policy, Report& report);

/// check_certificate is steps R and S, for a certificate or a session; the value is when it ends.
/// Errors: certificate_untrusted, certificate_unbound, certificate_expired and group
/// 7.
Result<UnixTime> check_certificate(const Subject& subject, const Policy& policy, UnixTime now,
                                   Report& report);

}  // namespace ratls::verifier
