// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "evidence/evidence.h"
#include "ratls/attester.h"
#include "ratls/verifier.h"
#include "sim/world.h"
#include "x509/builder.h"

// A forged world brought before the verifier.
namespace ratls::testing {

/// GivenCollateral is a source that has just this.
class GivenCollateral final : public CollateralSource {
 public:
  explicit GivenCollateral(std::shared_ptr<const PreparedCollateral> collateral)
      : collateral_(std::move(collateral)) {}
  Result<std::shared_ptr<const PreparedCollateral>> find(
      const CollateralRequest& request) override {
    requests.push_back(request);
    if (collateral_ == nullptr) return Error(Code::collateral_unavailable, "test", "none");
    return collateral_;
  }
  std::vector<CollateralRequest> requests;

 private:
  std::shared_ptr<const PreparedCollateral> collateral_;
};

/// policy_for accepts the enclave or TD of a world, on its root, and nothing weaker than the
/// default.
inline Policy policy_for(const sim::World& world) {
  Policy policy;
  policy.root_pem = world.root_pem;
  if (const auto& td = world.quote_spec.td) {
    TdIdentity& identity = policy.tds.emplace_back();
    identity.name = "trial";
    identity.mr_td = td->mr_td;
    identity.rtmr[1] = td->rtmr[1];
    identity.rtmr[2] = td->rtmr[2];
  } else {
    EnclaveIdentity& identity = policy.enclaves.emplace_back();
    identity.name = "trial";
    identity.mr_enclave = world.quote_spec.report.mr_enclave;
  }
  return policy;
}

inline ReportData some_report_data() {
  ReportData report_data;
  for (std::size_t i = 0; i < 32; ++i) report_data.bytes[i] = static_cast<std::uint8_t>(i);
  return report_data;
}

/// Trial holds what one verification needs; change a member, then judge.
struct Trial {
  sim::World world;
  Policy policy;
  UnixTime now = sim::kWorldTime;

  explicit Trial(const sim::WorldSpec& spec)
      : world(sim::build_world(spec).value()), policy(policy_for(world)) {}

  std::shared_ptr<const PreparedCollateral> prepared(const TrustRoot& root) const {
    return PreparedCollateral::prepare(world.collateral, root, "file");
  }
  Bytes quote() const { return world.quote(some_report_data()).value(); }

  Verdict judge_quote(BytesView quote) const {
    const Verifier verifier = Verifier::create(policy).value();
    GivenCollateral source(prepared(verifier.root()));
    return verifier.verify_quote(quote, source, now);
  }
  Verdict judge_quote() const { return judge_quote(quote()); }
  Verdict judge_certificate(BytesView der, const CertificateContext& context = {}) const {
    const Verifier verifier = Verifier::create(policy).value();
    GivenCollateral source(prepared(verifier.root()));
    return verifier.verify_certificate(der, context, source, now);
  }

  /// attested_certificate is one made as a server makes it.
  Bytes attested_certificate(CertificateOptions options = {}) const {
    const Attester attester =
        Attester::create([this](const ReportData& data) { return world.quote(data); },
                         std::move(options))
            .value();
    return attester.certify(now).value().certificate_der();
  }
};

/// refused_with tells, for a test's message, whether a verdict is this refusal.
inline ::testing::AssertionResult refused_with(const Verdict& verdict, Code code) {
  if (verdict.accepted()) return ::testing::AssertionFailure() << "accepted";
  const Error& error = verdict.result.error();
  if (error.code() != code) {
    return ::testing::AssertionFailure() << error.message() << " at " << error.where();
  }
  if (error.where().empty() || error.hint().empty()) {
    return ::testing::AssertionFailure() << "no place or no hint: " << error.message();
  }
  return ::testing::AssertionSuccess();
}

inline ::testing::AssertionResult accepted(const Verdict& verdict) {
  if (verdict.accepted()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << verdict.result.error().message() << " at " << verdict.result.error().where();
}

}  // namespace ratls::testing
