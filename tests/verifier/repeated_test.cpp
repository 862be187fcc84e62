// SPDX-License-Identifier: Apache-2.0
// One verifier and several quotes: what it remembers of the first may not excuse the second.
#include <atomic>
#include <thread>

#include "verifier/trial.h"

namespace ratls::testing {
namespace {

using std::chrono::hours;

Verdict judge(const Verifier& verifier, const Trial& trial, UnixTime now) {
  GivenCollateral source(trial.prepared(verifier.root()));
  return verifier.verify_quote(trial.quote(), source, now);
}

TEST(RepeatedVerification, AcceptsTheSamePlatformAgain) {
  const Trial trial(sim::plan_world().value());
  const Verifier verifier = Verifier::create(trial.policy).value();
  EXPECT_TRUE(accepted(judge(verifier, trial, trial.now)));
  EXPECT_TRUE(accepted(judge(verifier, trial, trial.now)));
}

TEST(RepeatedVerification, RefusesAForgedCaAfterTheGenuineOne) {
  sim::WorldSpec spec = sim::plan_world().value();
  const Trial genuine(spec);
  // The same root, names, keys and dates; only the signature is somebody else's.
  spec.root.issued = genuine.world.root_der;
  spec.pck_ca.signer = spec.stranger;
  const Trial forged(spec);
  const Verifier verifier = Verifier::create(genuine.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, genuine, genuine.now)));
  EXPECT_TRUE(refused_with(judge(verifier, forged, forged.now), Code::pck_chain_untrusted));
  EXPECT_TRUE(refused_with(judge(verifier, forged, forged.now), Code::pck_chain_untrusted));
}

TEST(RepeatedVerification, RefusesAPckOfAStrangerUnderAKnownCa) {
  sim::WorldSpec spec = sim::plan_world().value();
  const Trial genuine(spec);
  spec.root.issued = genuine.world.root_der;
  spec.pck.signer = spec.stranger;
  const Trial forged(spec);
  const Verifier verifier = Verifier::create(genuine.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, genuine, genuine.now)));
  EXPECT_TRUE(refused_with(judge(verifier, forged, forged.now), Code::pck_chain_untrusted));
}

TEST(RepeatedVerification, RefusesAForgedQeReportOnAKnownPlatform) {
  sim::WorldSpec spec = sim::plan_world().value();
  const Trial genuine(spec);
  const Verifier verifier = Verifier::create(genuine.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, genuine, genuine.now)));
  // The same QE report, signed by another key.
  Trial forged = genuine;
  forged.world.quote_spec.qe_report_signer = spec.stranger;
  EXPECT_TRUE(refused_with(judge(verifier, forged, forged.now), Code::qe_report_untrusted));
  EXPECT_TRUE(refused_with(judge(verifier, forged, forged.now), Code::qe_report_untrusted));
}

TEST(RepeatedVerification, ChecksTheSignatureOfEachQuote) {
  sim::WorldSpec spec = sim::plan_world().value();
  const Trial genuine(spec);
  const Verifier verifier = Verifier::create(genuine.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, genuine, genuine.now)));
  Trial forged = genuine;
  forged.world.quote_spec.quote_signer = spec.stranger;
  EXPECT_TRUE(refused_with(judge(verifier, forged, forged.now), Code::quote_untrusted));
}

TEST(RepeatedVerification, LooksForAKnownPckInTheListOfItsCa) {
  sim::WorldSpec spec = sim::plan_world().value();
  const Trial genuine(spec);
  const Verifier verifier = Verifier::create(genuine.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, genuine, genuine.now)));
  Trial revoked = genuine;
  spec.pck_crl.spec.revoked_serials = {spec.pck.spec.serial};
  revoked.world.collateral.pck_crl = sim::issue(spec.pck_crl).value();
  EXPECT_TRUE(refused_with(judge(verifier, revoked, revoked.now), Code::certificate_revoked));
}

TEST(RepeatedVerification, ForgetsTheOldestAndStillAccepts) {
  // More platforms than are remembered, under one root.
  sim::WorldSpec spec = sim::plan_world().value();
  const Trial first(spec);
  spec.root.issued = first.world.root_der;
  const Verifier verifier = Verifier::create(first.policy).value();
  for (int i = 0; i < 300; ++i) {
    spec.pck.spec.serial = {0x40, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    const Trial trial(spec);
    ASSERT_TRUE(accepted(judge(verifier, trial, trial.now))) << i;
  }
}

TEST(RepeatedVerification, LooksAtTheDatesOfAKnownCa) {
  sim::WorldSpec spec = sim::plan_world().value();
  spec.pck_ca.spec.not_after = sim::kWorldTime + hours(1);
  const Trial trial(spec);
  const Verifier verifier = Verifier::create(trial.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, trial, trial.now)));
  EXPECT_TRUE(refused_with(judge(verifier, trial, trial.now + hours(2)), Code::pck_chain_expired));
}

TEST(RepeatedVerification, RefusesAKnownChainThatHasExpiredBeforeItAsksForCollateral) {
  sim::WorldSpec spec = sim::plan_world().value();
  spec.pck.spec.not_after = sim::kWorldTime + hours(1);
  const Trial trial(spec);
  const Verifier verifier = Verifier::create(trial.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, trial, trial.now)));
  GivenCollateral source(nullptr);
  EXPECT_TRUE(refused_with(verifier.verify_quote(trial.quote(), source, trial.now + hours(2)),
                           Code::pck_chain_expired));
  EXPECT_TRUE(source.requests.empty());
}

TEST(RepeatedVerification, LooksForAKnownCaInTheRootsList) {
  sim::WorldSpec spec = sim::plan_world().value();
  const Trial genuine(spec);
  spec.root.issued = genuine.world.root_der;
  spec.root_crl.spec.revoked_serials = {spec.pck_ca.spec.serial};
  const Trial revoked(spec);
  const Verifier verifier = Verifier::create(genuine.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, genuine, genuine.now)));
  EXPECT_TRUE(refused_with(judge(verifier, revoked, revoked.now), Code::certificate_revoked));
}

TEST(RepeatedVerification, ServesSeveralThreadsAtOnce) {
  const Trial trial(sim::plan_world().value());
  const Verifier verifier = Verifier::create(trial.policy).value();
  const auto collateral = trial.prepared(verifier.root());
  const Bytes quote = trial.quote();
  std::atomic<int> accepted_quotes = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 10; ++round) {
          const Examination examination = verifier.examine_quote(quote, trial.now);
          if (verifier.decide(examination, *collateral, trial.now).accepted()) ++accepted_quotes;
        }
      });
    }
  }
  EXPECT_EQ(accepted_quotes, 40);
}

TEST(RepeatedVerification, KeepsRootsApart) {
  const Trial first(sim::plan_world().value());
  const Trial second(sim::plan_world().value());
  const Verifier verifier = Verifier::create(first.policy).value();
  ASSERT_TRUE(accepted(judge(verifier, first, first.now)));
  EXPECT_TRUE(refused_with(judge(verifier, second, second.now), Code::root_untrusted));
}

/// RepeatedCertificate is one verifier that has accepted a certificate.
class RepeatedCertificate : public ::testing::Test {
 protected:
  void accept() { ASSERT_TRUE(accepted(judge(trial.now))); }
  Verdict judge(UnixTime now, const CertificateContext& context = {Proves::session, "localhost"}) {
    return verifier.verify_certificate(der, context, source, now);
  }

  sim::WorldSpec spec = sim::plan_world().value();
  Trial trial{spec};
  Bytes der = trial.attested_certificate();
  Verifier verifier = Verifier::create(trial.policy).value();
  GivenCollateral source{trial.prepared(verifier.root())};
};

TEST_F(RepeatedCertificate, GetsTheSameVerdictAtItsOwnTime) {
  accept();
  const Verdict again = judge(trial.now + hours(1));
  ASSERT_TRUE(accepted(again));
  EXPECT_EQ(again.report.checked_at, trial.now + hours(1));
  EXPECT_EQ(again.report.matched_entry, "trial");
  EXPECT_EQ(again.result->expires(), *again.report.certificate_not_after);
  ASSERT_EQ(source.requests.size(), 2U);
  EXPECT_EQ(source.requests[1].at, trial.now + hours(1));
  EXPECT_EQ(source.requests[1].fmspc, source.requests[0].fmspc);
  EXPECT_EQ(source.requests[1].pck_ca, source.requests[0].pck_ca);
  EXPECT_EQ(source.requests[1].tee, "sgx");
}

TEST_F(RepeatedCertificate, IsRefusedOutsideItsDates) {
  accept();
  EXPECT_TRUE(refused_with(judge(trial.now + hours(25)), Code::certificate_expired));
  EXPECT_TRUE(refused_with(judge(trial.now - hours(1)), Code::crl_expired));
}

TEST_F(RepeatedCertificate, IsRefusedWithOtherCollateral) {
  accept();
  spec.pck_crl.spec.revoked_serials = {spec.pck.spec.serial};
  trial.world.collateral.pck_crl = sim::issue(spec.pck_crl).value();
  source = GivenCollateral(trial.prepared(verifier.root()));
  EXPECT_TRUE(refused_with(judge(trial.now), Code::certificate_revoked));
}

TEST_F(RepeatedCertificate, ExcusesNoOtherOne) {
  accept();
  der.back() ^= 1;  // of the signature
  EXPECT_TRUE(refused_with(judge(trial.now), Code::certificate_untrusted));
}

TEST_F(RepeatedCertificate, IsRefusedWithoutCollateral) {
  accept();
  source = GivenCollateral(nullptr);
  EXPECT_TRUE(refused_with(judge(trial.now), Code::collateral_unavailable));
  EXPECT_EQ(source.requests.size(), 1U);
}

TEST_F(RepeatedCertificate, IsRefusedForAnotherName) {
  trial.policy.session.check_name = true;
  verifier = Verifier::create(trial.policy).value();
  accept();
  EXPECT_TRUE(refused_with(judge(trial.now, {Proves::session, "other.test"}), Code::name_mismatch));
}

TEST_F(RepeatedCertificate, ProvesWhatItWasMetAs) {
  accept();
  EXPECT_EQ(judge(trial.now, {Proves::certificate, "localhost"}).report.proves,
            Proves::certificate);
}

TEST_F(RepeatedCertificate, IsRefusedWhenTheGraceIsOver) {
  tcb::TcbLevel& level = spec.tcb_info.content.levels.front();
  level.status = TcbStatus::out_of_date;
  trial = Trial(spec);
  trial.policy.tcb.out_of_date_grace = trial.now + hours(2) - level.date;
  der = trial.attested_certificate();
  verifier = Verifier::create(trial.policy).value();
  source = GivenCollateral(trial.prepared(verifier.root()));
  accept();
  EXPECT_EQ(judge(trial.now).result->expires(), trial.now + hours(2));
  EXPECT_TRUE(accepted(judge(trial.now + hours(2))));
  EXPECT_TRUE(refused_with(judge(trial.now + hours(3)), Code::tcb_out_of_date));
}

}  // namespace
}  // namespace ratls::testing
