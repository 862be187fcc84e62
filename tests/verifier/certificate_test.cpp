// SPDX-License-Identifier: Apache-2.0
// Attested certificates: as servers make them, and forged in one point.
#include "verifier/trial.h"

namespace ratls::testing {
namespace {

using sim::kWorldTime;
using std::chrono::hours;
using std::chrono::seconds;

/// Forge makes a certificate by hand; each member may be changed first.
struct Forge {
  explicit Forge(const Trial& from) : trial(from) {
    spec.serial = {1};
    spec.subject = spec.issuer = {{"CN", "forged"}};
    spec.not_before = kWorldTime - seconds(300);
    spec.not_after = kWorldTime + hours(1);
    spec.subject_spki = key.spki_der().value();
    attested_end = spec.not_after;
  }

  x509::Extension dice() const {
    const Bytes claims =
        evidence::write_claims(bound_key.value_or(spec.subject_spki), attested_end);
    const Bytes quote = trial.world.quote(evidence::report_data_for(claims)).value();
    return extension(evidence::dice_oid(), evidence::write_dice(quote, claims));
  }
  x509::Extension legacy(BytesView oid) const {
    const Bytes& bound = bound_key.value_or(spec.subject_spki);
    return extension(oid, trial.world.quote(evidence::report_data_for(bound)).value());
  }
  x509::Extension legacy() const { return legacy(evidence::gramine_legacy_oid()); }

  static x509::Extension extension(BytesView oid, Bytes value) {
    return {.oid = Bytes(oid.begin(), oid.end()), .critical = false, .value = std::move(value)};
  }

  Bytes certificate() const {
    return x509::build_certificate(spec, signer != nullptr ? *signer : key).value();
  }
  Verdict judge(const CertificateContext& context = {}) const {
    return trial.judge_certificate(certificate(), context);
  }

  const Trial& trial;
  crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  const crypto::PrivateKey* signer = nullptr;
  x509::CertificateSpec spec;
  std::optional<Bytes> bound_key;
  UnixTime attested_end;
};

class Certificates : public ::testing::Test {
 protected:
  Trial trial{sim::plan_world().value()};
  Forge forge{trial};
};

TEST_F(Certificates, OfAServerAreAccepted) {
  for (const auto key : {CertificateKey::p256, CertificateKey::p384}) {
    for (const bool legacy : {true, false}) {
      CertificateOptions options;
      options.key = key;
      options.legacy_extension = legacy;
      const Verdict verdict = trial.judge_certificate(trial.attested_certificate(options));
      ASSERT_TRUE(accepted(verdict));
      EXPECT_EQ(verdict.report.evidence_format, "dice");
      EXPECT_EQ(verdict.report.legacy_evidence_unevaluated, legacy);
      EXPECT_TRUE(verdict.report.validity_bound);
      EXPECT_EQ(verdict.report.proves, Proves::certificate);
      EXPECT_EQ(verdict.result->expires(), *verdict.report.certificate_not_after);
    }
  }
}

TEST_F(Certificates, InGraminesFormatAreAccepted) {
  for (const BytesView oid : {evidence::gramine_legacy_oid(), evidence::intel_legacy_oid()}) {
    forge.spec.extensions = {forge.legacy(oid)};
    const Verdict verdict = forge.judge();
    ASSERT_TRUE(accepted(verdict));
    EXPECT_EQ(verdict.report.evidence_format, "gramine-legacy");
    EXPECT_FALSE(verdict.report.validity_bound);
  }
}

TEST_F(Certificates, WithoutAnAttestedEndAreRefusedOnDemand) {
  trial.policy.session.require_attested_end = true;
  forge.spec.extensions = {forge.dice()};
  EXPECT_TRUE(accepted(forge.judge()));
  forge.spec.extensions = {forge.legacy()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_lifetime));
}

TEST_F(Certificates, WithoutEvidenceAreRefused) {
  EXPECT_TRUE(refused_with(forge.judge(), Code::evidence_missing));
}

TEST_F(Certificates, ThatAreNoneAreRefused) {
  EXPECT_TRUE(refused_with(trial.judge_certificate(Bytes{}), Code::certificate_malformed));
  EXPECT_TRUE(refused_with(trial.judge_certificate(Bytes(100, 0x30)), Code::certificate_malformed));
  forge.spec.extensions = {forge.dice()};
  Bytes der = forge.certificate();
  der.push_back(0);
  EXPECT_TRUE(refused_with(trial.judge_certificate(der), Code::certificate_malformed));
}

TEST_F(Certificates, WithDamagedEvidenceDoNotFallBack) {
  x509::Extension dice = forge.dice();
  dice.value[0] ^= 1;
  forge.spec.extensions = {dice, forge.legacy()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::evidence_malformed));
}

TEST_F(Certificates, WithAnUnreadableQuoteAreRefused) {
  x509::Extension legacy = forge.legacy();
  legacy.value.resize(1000);
  forge.spec.extensions = {legacy};
  EXPECT_TRUE(refused_with(forge.judge(), Code::quote_malformed));
  legacy = forge.legacy();
  legacy.value[0] = 9;  // the version
  forge.spec.extensions = {legacy};
  EXPECT_TRUE(refused_with(forge.judge(), Code::quote_unsupported));
}

TEST_F(Certificates, WithTheSameEvidenceTwiceAreRefused) {
  for (const auto& [first, second] :
       {std::pair(forge.dice(), forge.dice()), std::pair(forge.legacy(), forge.legacy()),
        std::pair(forge.legacy(), forge.legacy(evidence::intel_legacy_oid()))}) {
    forge.spec.extensions = {first, second};
    EXPECT_TRUE(refused_with(forge.judge(), Code::evidence_duplicate));
  }
}

TEST_F(Certificates, WithFormatsForDifferentKeysAreRefused) {
  const x509::Extension dice = forge.dice();
  forge.bound_key = crypto::PrivateKey::generate(crypto::KeyType::p256).value().spki_der().value();
  forge.spec.extensions = {dice, forge.legacy()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::evidence_conflict));
}

TEST_F(Certificates, WithFormatsForDifferentEnclavesAreRefused) {
  const x509::Extension dice = forge.dice();
  sim::WorldSpec other_spec = sim::plan_world().value();
  other_spec.quote.report.mr_enclave.bytes[0] ^= 1;
  const Trial other(other_spec);
  const Bytes quote = other.world.quote(evidence::report_data_for(forge.spec.subject_spki)).value();
  forge.spec.extensions = {dice, Forge::extension(evidence::gramine_legacy_oid(), quote)};
  EXPECT_TRUE(refused_with(forge.judge(), Code::evidence_conflict));
}

TEST_F(Certificates, OfAnotherKeyAreRefused) {
  forge.bound_key = crypto::PrivateKey::generate(crypto::KeyType::p256).value().spki_der().value();
  forge.spec.extensions = {forge.dice()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_unbound));
  forge.spec.extensions = {forge.legacy()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_unbound));
}

TEST_F(Certificates, WithOtherClaimsThanAttestedAreRefused) {
  const Bytes claims = evidence::write_claims(forge.spec.subject_spki, forge.attested_end);
  ReportData report_data = evidence::report_data_for(claims);
  report_data.bytes[32] = 1;
  const Bytes tail = trial.world.quote(report_data).value();
  forge.spec.extensions = {
      Forge::extension(evidence::dice_oid(), evidence::write_dice(tail, claims))};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_unbound));
  const Bytes unrelated = trial.world.quote(some_report_data()).value();
  forge.spec.extensions = {
      Forge::extension(evidence::dice_oid(), evidence::write_dice(unrelated, claims))};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_unbound));
}

TEST_F(Certificates, OfUnsupportedKeysAreRefused) {
  // rsaEncryption with a modulus of 16 bits: well formed, and far too short.
  forge.spec.subject_spki = {0x30, 0x1b, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                             0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x0a, 0x00,
                             0x30, 0x07, 0x02, 0x03, 0x00, 0xc5, 0x41, 0x02, 0x00};
  forge.spec.subject_spki = {0x30, 0x1d, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                             0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x0c, 0x00, 0x30, 0x09,
                             0x02, 0x02, 0x45, 0x41, 0x02, 0x03, 0x01, 0x00, 0x01};
  forge.spec.extensions = {forge.legacy()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::key_unsupported));
}

TEST_F(Certificates, SignedByAnotherKeyAreRefused) {
  const auto other = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  forge.signer = &other;
  forge.spec.extensions = {forge.dice()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_untrusted));
}

TEST_F(Certificates, WithUnknownCriticalExtensionsAreRefused) {
  forge.spec.extensions = {forge.dice(), {x509::oid_from_text("1.2.3.4"), true, {0x05, 0x00}}};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_untrusted));
  forge.spec.extensions[1].critical = false;
  forge.spec.extensions[0].critical = true;
  EXPECT_TRUE(accepted(forge.judge()));
}

TEST_F(Certificates, OutsideTheirDatesAreRefused) {
  forge.spec.not_after = kWorldTime - seconds(1);
  forge.spec.extensions = {forge.dice()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_expired));
  forge.spec.not_after = kWorldTime + hours(1);
  forge.spec.not_before = kWorldTime + seconds(1);
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_expired));
}

TEST_F(Certificates, LongerThanAttestedAreRefused) {
  forge.attested_end = forge.spec.not_after - seconds(1);
  forge.spec.extensions = {forge.dice()};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_unbound));
}

TEST_F(Certificates, AfterTheAttestedEndAreRefused) {
  forge.spec.not_after = kWorldTime;
  forge.attested_end = kWorldTime;
  forge.spec.extensions = {forge.dice()};
  EXPECT_TRUE(accepted(forge.judge()));
  trial.now = kWorldTime + seconds(1);
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_expired));
}

TEST_F(Certificates, NotForServersAreRefused) {
  forge.spec.extensions = {forge.dice(), x509::server_auth()};
  EXPECT_TRUE(accepted(forge.judge()));
  x509::Extension client_auth = x509::server_auth();
  client_auth.value.back() = 2;  // id-kp-clientAuth is 1.3.6.1.5.5.7.3.2
  forge.spec.extensions = {forge.dice(), client_auth};
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_usage));
}

TEST_F(Certificates, ThatLiveTooLongAreRefused) {
  trial.policy.session.max_certificate_lifetime = hours(1) + seconds(300);
  forge.spec.extensions = {forge.dice()};
  EXPECT_TRUE(accepted(forge.judge()));
  trial.policy.session.max_certificate_lifetime -= seconds(1);
  EXPECT_TRUE(refused_with(forge.judge(), Code::certificate_lifetime));
}

TEST_F(Certificates, OfUnlistedKeysAreRefused) {
  using SpkiHash = decltype(SessionPolicy::server_keys)::value_type::value_type;
  forge.spec.extensions = {forge.dice()};
  const SpkiHash own{crypto::sha256(forge.spec.subject_spki).bytes};
  trial.policy.session.server_keys = {SpkiHash{}, own};
  EXPECT_TRUE(accepted(forge.judge()));
  trial.policy.session.server_keys = {SpkiHash{}};
  EXPECT_TRUE(refused_with(forge.judge(), Code::server_key_not_allowed));
}

TEST_F(Certificates, OfASessionAreCheckedForNameAndFreshness) {
  forge.spec.extensions = {forge.dice(), x509::subject_alt_names({"enclave.example", "192.0.2.7"})};
  CertificateContext session{.proves = Proves::session, .host = "Enclave.Example"};
  EXPECT_FALSE(forge.judge(session).report.name_checked);
  trial.policy.session.check_name = true;
  EXPECT_TRUE(accepted(forge.judge(session)));
  EXPECT_TRUE(forge.judge(session).report.name_checked);
  session.host = "192.0.2.7";
  EXPECT_TRUE(accepted(forge.judge(session)));
  for (const char* host :
       {"", "other.example", "inclave.example", "enclave.example.", "192.0.2.70", "192.0.2.8"}) {
    session.host = host;
    EXPECT_TRUE(refused_with(forge.judge(session), Code::name_mismatch)) << host;
  }
  trial.policy.session.check_name = false;
  trial.policy.session.fresh = true;
  EXPECT_TRUE(refused_with(forge.judge(session), Code::evidence_not_fresh));
}

// With collateral that brings a chain of its own, which is not the quote's.
TEST_F(Certificates, AreJudgedByTheChainOfTheirQuote) {
  sim::WorldSpec spec = sim::plan_world().value();
  const Trial genuine(spec);
  spec.root.issued = genuine.world.root_der;
  spec.pck.signer = spec.stranger;
  Trial forged(spec);
  forged.world.collateral.pck_certificate_chain = genuine.world.pck_chain_pem;
  EXPECT_TRUE(refused_with(forged.judge_certificate(forged.attested_certificate()),
                           Code::pck_chain_untrusted));
}

TEST_F(Certificates, WithoutEvidenceAreRefusedBeforeCollateralIsAskedFor) {
  const Verifier verifier = Verifier::create(trial.policy).value();
  GivenCollateral source(nullptr);
  EXPECT_TRUE(refused_with(verifier.verify_certificate(forge.certificate(), {}, source, trial.now),
                           Code::evidence_missing));
  EXPECT_TRUE(source.requests.empty());
}

TEST_F(Certificates, AreJudgedByTheirQuoteToo) {
  forge.spec.extensions = {forge.dice()};
  trial.policy.enclaves[0].mr_enclave = MrEnclave{{1}};
  EXPECT_TRUE(refused_with(forge.judge(), Code::identity_mismatch));
}

}  // namespace
}  // namespace ratls::testing
