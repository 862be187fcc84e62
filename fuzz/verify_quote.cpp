// SPDX-License-Identifier: Apache-2.0
#include "ratls/collateral.h"
#include "ratls/verifier.h"
#include "target.h"

namespace {

/// NoCollateral is a source that has none: with it nothing can be accepted.
class NoCollateral final : public ratls::CollateralSource {
 public:
  ratls::Result<std::shared_ptr<const ratls::PreparedCollateral>> find(
      const ratls::CollateralRequest&) override {
    return ratls::Error(ratls::Code::collateral_unavailable, "fuzz", "none");
  }
};

ratls::Verifier make_verifier() {
  ratls::EnclaveIdentity identity;
  identity.mr_enclave = ratls::MrEnclave{{1}};
  ratls::Policy policy;
  policy.enclaves.push_back(std::move(identity));
  return ratls::Verifier::create(std::move(policy)).value();
}

}  // namespace

// The whole verifier refuses, with an error of a group that speaks of the peer: 3, 4 or 5, or 8 for
// an input so good that only the collateral is missing. Nothing unauthenticated is reported.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ratls::Verifier kVerifier = make_verifier();
  static NoCollateral source;
  const ratls::UnixTime now(std::chrono::seconds(1750000000));
  for (const bool certificate : {false, true}) {
    const ratls::Verdict verdict = certificate
                                       ? kVerifier.verify_certificate({data, size}, {}, source, now)
                                       : kVerifier.verify_quote({data, size}, source, now);
    ratls::fuzz::require(!verdict.accepted());
    const int group = ratls::exit_code(verdict.result.error().code());
    ratls::fuzz::require((group >= 3 && group <= 5) || group == 8);
    ratls::fuzz::require(!verdict.report.authenticated && !verdict.report.enclave);
    ratls::fuzz::require(!verdict.report.td);
  }
  return 0;
}
