// SPDX-License-Identifier: Apache-2.0
// Evidence that a server makes for one session, and that others have made.
#include "verifier/trial.h"

namespace ratls::testing {
namespace {

using sim::kWorldTime;
using std::chrono::hours;

SessionExporter exporter_of(std::uint8_t byte) {
  SessionExporter exporter;
  exporter.bytes.fill(byte);
  return exporter;
}

class Sessions : public ::testing::Test {
 protected:
  static Attester attester_on(const sim::World& world) {
    return Attester::create([&world](const ReportData& data) { return world.quote(data); }, {})
        .value();
  }

  sim::WorldSpec same_platform() const {
    sim::WorldSpec spec = spec_;
    spec.root.issued = trial_.world.root_der;
    return spec;
  }

  Bytes evidence_for(const SessionExporter& exporter) const {
    return evidence_by(trial_.world, exporter);
  }
  Bytes evidence_by(const sim::World& world, const SessionExporter& exporter) const {
    const auto parsed = x509::parse_certificate(certificate_, Code::internal).value();
    return attester_on(world).attest_session({parsed.spki, parsed.not_after, exporter}).value();
  }

  Verdict judge(BytesView evidence) {
    const Verifier verifier = Verifier::create(trial_.policy).value();
    GivenCollateral source(trial_.prepared(verifier.root()));
    return verifier.verify_session(certificate_, {.proves = Proves::session, .host = "localhost"},
                                   evidence, exporter_of(1), source, trial_.now);
  }

  sim::WorldSpec spec_ = sim::plan_world().value();
  Trial trial_{spec_};
  Bytes certificate_ = attester_on(trial_.world).certify(kWorldTime).value().certificate_der();
};

TEST_F(Sessions, WithTheirOwnEvidenceAreFresh) {
  trial_.policy.session.fresh = true;
  const Verdict verdict = judge(evidence_for(exporter_of(1)));
  ASSERT_TRUE(accepted(verdict));
  EXPECT_TRUE(verdict.report.fresh);
  EXPECT_TRUE(verdict.report.validity_bound);
  EXPECT_EQ(verdict.report.proves, Proves::session);
  EXPECT_EQ(verdict.report.evidence_format, "dice");
}

TEST_F(Sessions, WithoutEvidenceAreRefusedOnDemand) {
  trial_.policy.session.fresh = true;
  CertificateContext context{.proves = Proves::session, .host = "localhost"};
  EXPECT_TRUE(
      refused_with(trial_.judge_certificate(certificate_, context), Code::evidence_not_fresh));
  context.session_evidence_follows = true;
  const Verdict verdict = trial_.judge_certificate(certificate_, context);
  ASSERT_TRUE(accepted(verdict));
  EXPECT_FALSE(verdict.report.fresh);
}

TEST_F(Sessions, WithTheEvidenceOfOthersAreRefused) {
  EXPECT_TRUE(refused_with(judge(evidence_for(exporter_of(2))), Code::evidence_not_fresh));
  EXPECT_TRUE(refused_with(judge({}), Code::evidence_malformed));
  // For another certificate's key.
  const Bytes own = certificate_;
  certificate_ = attester_on(trial_.world).certify(kWorldTime).value().certificate_der();
  const Bytes others = evidence_for(exporter_of(1));
  certificate_ = own;
  EXPECT_TRUE(refused_with(judge(others), Code::certificate_unbound));
}

TEST_F(Sessions, OfAnotherEnclaveAreRefused) {
  sim::WorldSpec changed = same_platform();
  changed.quote.report.isv_svn += 1;  // the policy would take both
  const sim::World other = sim::build_world(changed).value();
  EXPECT_TRUE(refused_with(judge(evidence_by(other, exporter_of(1))), Code::evidence_conflict));
}

TEST_F(Sessions, AreJudgedByTheirOwnQuote) {
  EXPECT_TRUE(
      accepted(judge(evidence_by(sim::build_world(same_platform()).value(), exporter_of(1)))));
  sim::WorldSpec changed = same_platform();
  changed.quote.quote_signer = spec_.stranger;
  const Bytes forged = evidence_by(sim::build_world(changed).value(), exporter_of(1));
  EXPECT_TRUE(refused_with(judge(forged), Code::quote_untrusted));
}

/// TdSessions are those of a TD, whose registers may grow while it runs.
class TdSessions : public Sessions {
 protected:
  TdSessions() {
    sim::WorldBasics basics;
    basics.td = sim::default_td();
    spec_ = sim::plan_world(basics).value();
    trial_ = Trial(spec_);
    certificate_ = attester_on(trial_.world).certify(kWorldTime).value().certificate_der();
  }

  sim::World grown(std::size_t register_number) const {
    sim::WorldSpec changed = same_platform();
    changed.quote.td->rtmr[register_number].bytes[0] ^= 1;
    return sim::build_world(changed).value();
  }
};

TEST_F(TdSessions, MayHaveGrownWhereThePolicySaysNothing) {
  EXPECT_TRUE(accepted(judge(evidence_for(exporter_of(1)))));
  EXPECT_TRUE(accepted(judge(evidence_by(grown(3), exporter_of(1)))));
  EXPECT_TRUE(refused_with(judge(evidence_by(grown(1), exporter_of(1))), Code::identity_mismatch));
}

TEST_F(TdSessions, OfAnEnclaveAreRefused) {
  sim::WorldSpec enclave = sim::plan_world().value();
  enclave.root.issued = trial_.world.root_der;
  EXPECT_TRUE(refused_with(judge(evidence_by(sim::build_world(enclave).value(), exporter_of(1))),
                           Code::evidence_conflict));
}

TEST_F(Sessions, AreJudgedByThePolicyToo) {
  const Bytes own = evidence_for(exporter_of(1));
  trial_.policy.enclaves[0].mr_enclave->bytes[0] ^= 1;
  EXPECT_TRUE(refused_with(judge(own), Code::identity_mismatch));
}

TEST_F(Sessions, EndWithTheCertificate) {
  trial_.now = kWorldTime + hours(25);
  EXPECT_TRUE(refused_with(judge(evidence_for(exporter_of(1))), Code::certificate_expired));
}

}  // namespace
}  // namespace ratls::testing
