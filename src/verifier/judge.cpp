// SPDX-License-Identifier: Apache-2.0
#include "verifier/steps.h"

namespace ratls::verifier {
namespace {

// The quote's chain, or that of the collateral for certification data 1 to 3.
Result<std::shared_ptr<const PckChain>> chain_of(const Subject& subject,
                                                 const PreparedCollateral::Parts& parts,
                                                 const Trust& trust, UnixTime now, Report& report,
                                                 const StepListener& on_step) {
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
  return told(on_step, kPckChain,
              [&] { return verify_pck_chain(**parts.pck_chain, trust, now, report); });
}

}  // namespace

Result<UnixTime> judge(const Subject& subject, const PreparedCollateral& collateral,
                       const Trust& trust, const Policy& policy, UnixTime now, Report& report,
                       const StepListener& on_step) {
  const auto step = [&](std::string_view letters, std::string_view what, auto take) {
    return told(on_step, {.letters = letters, .what = what, .detail = ""}, take);
  };
  const PreparedCollateral::Parts& parts = collateral.parts();
  if (!std::ranges::equal(parts.root.certificate_der(), trust.root().certificate_der())) {
    return Error(Code::root_untrusted, "collateral", "it was prepared for another root");
  }
  report.collateral_source = collateral.source();
  RATLS_TRY(const auto shared_chain, chain_of(subject, parts, trust, now, report, on_step));
  const PckChain& chain = *shared_chain;
  // Once more: the examination may have been made at another time.
  RATLS_CHECK(check_chain_dates(chain, trust.root(), now));
  const Quote& quote = subject.quote;
  RATLS_CHECK(step("C", "revocation lists", [&] { return check_crls(chain, parts, now); }));
  RATLS_CHECK(step("D", "TCB info", [&] { return check_tcb_info(quote.tee(), parts, now); }));
  RATLS_CHECK(step("E", "QE identity", [&] { return check_qe_identity(quote.tee(), parts, now); }));
  const tcb::TcbInfo& tcb_info = parts.tcb_info->content;
  RATLS_CHECK(
      step("F", "platform numbers", [&] { return check_platform_numbers(chain, tcb_info); }));
  report_collateral(chain, parts, report);
  if (quote.td() != nullptr) {
    RATLS_CHECK(step("G", "TDX module", [&] { return check_tdx_module(*quote.td(), tcb_info); }));
  }
  const tcb::QeIdentity& identity = parts.qe_identity->content;
  RATLS_CHECK(check_quote(quote, chain, identity, trust, report, on_step));
  RATLS_TRY(const UnixTime grace_end, step("J, L, M, O", "TCB levels and policy", [&] {
              match_tcb(quote, chain, parts, report);
              return check_tcb_policy(policy, now, report);
            }));
  RATLS_CHECK(step("P", "identity", [&] { return check_identity_policy(policy, report); }));
  UnixTime expires = std::min({grace_end, *report.collateral_expires,
                               *report.collateral_issued + policy.tcb.max_collateral_age});
  if (subject.certificate) {
    const bool session = report.proves == Proves::session;
    RATLS_TRY(const UnixTime end, step(session ? "R, S" : "R", "certificate", [&] {
                return check_certificate(subject, policy, now, report);
              }));
    expires = std::min(expires, end);
  }
  return expires;
}

}  // namespace ratls::verifier
