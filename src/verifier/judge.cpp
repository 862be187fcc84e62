// SPDX-License-Identifier: Apache-2.0
#include "verifier/steps.h"

namespace ratls::verifier {
namespace {

// The quote's chain, or that of the collateral for certification data 1 to 3.
Result<std::shared_ptr<const PckChain>> chain_of(const Subject& subject,
                                                 const PreparedCollateral::Parts& parts,
                                                 const Trust& trust, UnixTime now, Report& report) {
  if (subject.chain != nullptr) return subject.chain;
  if (!parts.pck_chain) {
    return Error(
        Code::certification_data_unsupported, "quote.certification_data",
        "type " +
            std::to_string(static_cast<int>(subject.quote.signature.certification_data.type)) +
            " names the PCK certificate without bringing it, and the collateral has no "
            "pck_certificate_chain");
  }
  if (!*parts.pck_chain) return parts.pck_chain->error();
  return verify_pck_chain(**parts.pck_chain, trust, now, report);
}

}  // namespace

Result<UnixTime> judge(const Subject& subject, const PreparedCollateral& collateral,
                       const Trust& trust, const Policy& policy, UnixTime now, Report& report) {
  const PreparedCollateral::Parts& parts = collateral.parts();
  if (!std::ranges::equal(parts.root.certificate_der(), trust.root().certificate_der())) {
    return Error(Code::root_untrusted, "collateral", "it was prepared for another root");
  }
  report.collateral_source = collateral.source();
  RATLS_TRY(const auto shared_chain, chain_of(subject, parts, trust, now, report));
  const PckChain& chain = *shared_chain;
  // Once more: the examination may have been made at another time.
  RATLS_CHECK(check_chain_dates(chain, trust.root(), now));
  RATLS_CHECK(check_crls(chain, parts, now));
  RATLS_CHECK(check_documents(subject, chain, parts, now, report));
  RATLS_CHECK(check_tdx_module(subject.quote, parts.tcb_info->content));
  RATLS_CHECK(check_quote(subject.quote, chain, parts.qe_identity->content, trust, report));
  match_tcb(subject.quote, chain, parts, report);
  RATLS_TRY(const UnixTime grace_end, check_tcb_policy(policy, now, report));
  RATLS_CHECK(check_identity_policy(policy, report));
  UnixTime expires = std::min({grace_end, *report.collateral_expires,
                               *report.collateral_issued + policy.tcb.max_collateral_age});
  if (subject.certificate) {
    RATLS_TRY(const UnixTime end, check_certificate(subject, policy, now, report));
    expires = std::min(expires, end);
  }
  return expires;
}

}  // namespace ratls::verifier
