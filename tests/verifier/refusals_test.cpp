// SPDX-License-Identifier: Apache-2.0
// One forged world for each refusal, wrong in one point and rightly signed in all others, so that
// only the check under test can find it.
#include <functional>

#include "base/reader.h"
#include "verifier/trial.h"

namespace ratls::testing {
namespace {

using sim::kWorldTime;
using sim::WorldSpec;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

WorldSpec plan(sim::WorldBasics basics = {}) { return sim::plan_world(std::move(basics)).value(); }

/// Forgery is a change to a world and the refusal that it must end in.
struct Forgery {
  const char* name;
  Code code;
  std::function<void(WorldSpec&)> change;
};

class ForgedWorld : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedWorld, IsRefused) {
  WorldSpec spec = plan();
  GetParam().change(spec);
  EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), GetParam().code));
}

void set_common_name(sim::CertificateDraft& draft, const std::string& name) {
  for (x509::NameAttribute& attribute : draft.spec.subject) {
    if (attribute.short_name == "CN") attribute.value = name;
  }
}

void replace_extension(sim::CertificateDraft& draft, const x509::Extension& extension) {
  for (x509::Extension& present : draft.spec.extensions) {
    if (present.oid == extension.oid) present = extension;
  }
}

x509::Extension unknown_critical() { return {x509::oid_from_text("1.2.3.4"), true, {0x05, 0x00}}; }

const Forgery kForgeries[] = {
    // B
    {"PckNamedOtherwise", Code::pck_chain_untrusted,
     [](WorldSpec& w) { set_common_name(w.pck, "Intel SGX Something"); }},
    {"PckSignedByStranger", Code::pck_chain_untrusted,
     [](WorldSpec& w) { w.pck.signer = w.stranger; }},
    {"PckCaSignedByStranger", Code::pck_chain_untrusted,
     [](WorldSpec& w) { w.pck_ca.signer = w.stranger; }},
    {"PckIsCa", Code::pck_chain_untrusted,
     [](WorldSpec& w) { replace_extension(w.pck, x509::basic_constraints(true, 0)); }},
    {"PckCaIsNoCa", Code::pck_chain_untrusted,
     [](WorldSpec& w) {
       replace_extension(w.pck_ca, x509::basic_constraints(false, std::nullopt));
     }},
    {"PckCaMayNotSign", Code::pck_chain_untrusted,
     [](WorldSpec& w) { replace_extension(w.pck_ca, x509::key_usage(1U << 6)); }},
    {"PckCaMayNotSignCrls", Code::pck_chain_untrusted,
     [](WorldSpec& w) { replace_extension(w.pck_ca, x509::key_usage(1U << 5)); }},
    {"PckWithUnknownCriticalExtension", Code::pck_chain_untrusted,
     [](WorldSpec& w) { w.pck.spec.extensions.push_back(unknown_critical()); }},
    {"PckCaWithUnknownCriticalExtension", Code::pck_chain_untrusted,
     [](WorldSpec& w) { w.pck_ca.spec.extensions.push_back(unknown_critical()); }},
    {"TcbSigningWithUnknownCriticalExtension", Code::tcb_chain_untrusted,
     [](WorldSpec& w) { w.tcb_signing.spec.extensions.push_back(unknown_critical()); }},
    {"PckCaNamedOtherwise", Code::pck_chain_untrusted,
     [](WorldSpec& w) {
       set_common_name(w.pck_ca, "Intel SGX Other CA");
       w.pck.spec.issuer = w.pck_ca.spec.subject;
       w.pck_crl.spec.issuer = w.pck_ca.spec.subject;
     }},
    {"PckNotYetValid", Code::pck_chain_expired,
     [](WorldSpec& w) { w.pck.spec.not_before = kWorldTime + seconds(1); }},
    {"PckExpired", Code::pck_chain_expired,
     [](WorldSpec& w) { w.pck.spec.not_after = kWorldTime - seconds(1); }},
    {"PckCaExpired", Code::pck_chain_expired,
     [](WorldSpec& w) { w.pck_ca.spec.not_after = kWorldTime - seconds(1); }},
    {"RootExpired", Code::pck_chain_expired,
     [](WorldSpec& w) { w.root.spec.not_after = kWorldTime - seconds(1); }},
    {"PckWithoutSgxExtension", Code::pck_chain_malformed, [](WorldSpec& w) { w.machine.reset(); }},
    // C
    {"RootCrlSignedByStranger", Code::crl_untrusted,
     [](WorldSpec& w) { w.root_crl.signer = w.stranger; }},
    {"PckCrlSignedByStranger", Code::crl_untrusted,
     [](WorldSpec& w) { w.pck_crl.signer = w.stranger; }},
    {"PckCrlIssuedByRoot", Code::crl_untrusted,
     [](WorldSpec& w) {
       w.pck_crl.signer = w.root.key;
       w.pck_crl.spec.issuer = w.root.spec.subject;
     }},
    {"RootCrlExpired", Code::crl_expired,
     [](WorldSpec& w) { w.root_crl.spec.next_update = kWorldTime - seconds(1); }},
    {"PckCrlExpired", Code::crl_expired,
     [](WorldSpec& w) { w.pck_crl.spec.next_update = kWorldTime - seconds(1); }},
    {"PckCrlFromTheFuture", Code::crl_expired,
     [](WorldSpec& w) { w.pck_crl.spec.this_update = kWorldTime + seconds(1); }},
    {"PckRevoked", Code::certificate_revoked,
     [](WorldSpec& w) { w.pck_crl.spec.revoked_serials = {w.pck.spec.serial}; }},
    {"PckCaRevoked", Code::certificate_revoked,
     [](WorldSpec& w) { w.root_crl.spec.revoked_serials = {w.pck_ca.spec.serial}; }},
    // D
    {"TcbSigningRevoked", Code::certificate_revoked,
     [](WorldSpec& w) { w.root_crl.spec.revoked_serials = {w.tcb_signing.spec.serial}; }},
    {"TcbSigningSignedByStranger", Code::tcb_chain_untrusted,
     [](WorldSpec& w) { w.tcb_signing.signer = w.stranger; }},
    {"TcbSigningNamedOtherwise", Code::tcb_chain_untrusted,
     [](WorldSpec& w) { set_common_name(w.tcb_signing, "Somebody"); }},
    {"TcbSigningExpired", Code::tcb_chain_expired,
     [](WorldSpec& w) { w.tcb_signing.spec.not_after = kWorldTime - seconds(1); }},
    {"TcbInfoSignedByStranger", Code::tcb_info_untrusted,
     [](WorldSpec& w) { w.tcb_info.signer = w.stranger; }},
    {"TcbInfoIsNoJson", Code::tcb_info_malformed,
     [](WorldSpec& w) { w.tcb_info.text = "{\"id\":"; }},
    {"TcbInfoOfUnknownVersion", Code::tcb_info_malformed,
     [](WorldSpec& w) { w.tcb_info.content.version = 4; }},
    {"TcbInfoForTdx", Code::tcb_info_mismatch,
     [](WorldSpec& w) {
       w.tcb_info.content.id = tcb::TcbInfo::Id::tdx;
       w.tcb_info.content.tdx_module.emplace();
     }},
    {"TcbInfoExpired", Code::tcb_info_expired,
     [](WorldSpec& w) { w.tcb_info.content.next_update = kWorldTime - seconds(1); }},
    {"TcbInfoFromTheFuture", Code::tcb_info_expired,
     [](WorldSpec& w) { w.tcb_info.content.issue_date = kWorldTime + seconds(1); }},
    // E
    {"QeIdentitySignedByStranger", Code::qe_identity_untrusted,
     [](WorldSpec& w) { w.qe_identity.signer = w.stranger; }},
    {"QeIdentityIsNoJson", Code::qe_identity_malformed,
     [](WorldSpec& w) { w.qe_identity.text = "[]"; }},
    {"QeIdentityOfQve", Code::qe_identity_mismatch,
     [](WorldSpec& w) { w.qe_identity.content.id = tcb::QeIdentity::Id::qve; }},
    {"QeIdentityOfTdQe", Code::qe_identity_mismatch,
     [](WorldSpec& w) { w.qe_identity.content.id = tcb::QeIdentity::Id::td_qe; }},
    {"QeIdentityExpired", Code::qe_identity_expired,
     [](WorldSpec& w) { w.qe_identity.content.next_update = kWorldTime - seconds(1); }},
    {"QeIdentityFromTheFuture", Code::qe_identity_expired,
     [](WorldSpec& w) { w.qe_identity.content.issue_date = kWorldTime + seconds(1); }},
    // F
    {"TcbInfoOfOtherFmspc", Code::tcb_info_mismatch,
     [](WorldSpec& w) { w.tcb_info.content.fmspc.bytes[5] ^= 1; }},
    {"TcbInfoOfOtherPceId", Code::tcb_info_mismatch,
     [](WorldSpec& w) { w.tcb_info.content.pce_id.bytes[1] ^= 1; }},
    // H
    {"QeReportSignedByStranger", Code::qe_report_untrusted,
     [](WorldSpec& w) { w.quote.qe_report_signer = w.stranger; }},
    // I
    {"AttestationKeyUnbound", Code::attestation_key_unbound,
     [](WorldSpec& w) {
       w.quote.qe_report_data = ReportData{{1, 2, 3}};
     }},
    {"QeReportDataTail", Code::attestation_key_unbound,
     [](WorldSpec& w) { w.quote.edit_qe_report = [](Bytes& report) { report[383] = 1; }; }},
    // J
    {"QeOfOtherSigner", Code::qe_identity_mismatch,
     [](WorldSpec& w) { w.quote.qe_report.mr_signer.bytes[0] ^= 1; }},
    {"QeOfOtherProduct", Code::qe_identity_mismatch,
     [](WorldSpec& w) { w.quote.qe_report.isv_prod_id ^= 1; }},
    {"QeOfOtherMiscSelect", Code::qe_identity_mismatch,
     [](WorldSpec& w) { w.quote.qe_report.misc_select ^= 1; }},
    {"QeIdentityWithMiscSelectOutsideItsMask", Code::qe_identity_mismatch,
     [](WorldSpec& w) {
       w.qe_identity.content.misc_select_mask = 0xFFFFFFFE;
       w.qe_identity.content.misc_select |= 1;
     }},
    {"QeIdentityWithAttributesOutsideTheirMask", Code::qe_identity_mismatch,
     [](WorldSpec& w) {
       w.qe_identity.content.attributes_mask.bytes[15] = 0;
       w.qe_identity.content.attributes.bytes[15] = 1;
     }},
    {"QeInDebugMode", Code::qe_identity_mismatch,
     [](WorldSpec& w) { w.quote.qe_report.attributes.bytes[0] |= 2; }},
    // K
    {"QuoteSignedByStranger", Code::quote_untrusted,
     [](WorldSpec& w) { w.quote.quote_signer = w.stranger; }},
    // L, M, O
    {"TcbOutOfDate", Code::tcb_out_of_date,
     [](WorldSpec& w) { w.tcb_info.content.levels[0].status = TcbStatus::out_of_date; }},
    {"TcbOutOfDateConfigurationNeeded", Code::tcb_out_of_date,
     [](WorldSpec& w) {
       w.tcb_info.content.levels[0].status = TcbStatus::out_of_date_configuration_needed;
     }},
    {"TcbConfigurationNeeded", Code::tcb_configuration_needed,
     [](WorldSpec& w) { w.tcb_info.content.levels[0].status = TcbStatus::configuration_needed; }},
    {"TcbConfigurationAndSwHardeningNeeded", Code::tcb_configuration_needed,
     [](WorldSpec& w) {
       w.tcb_info.content.levels[0].status = TcbStatus::configuration_and_sw_hardening_needed;
     }},
    {"TcbSwHardeningNeeded", Code::tcb_sw_hardening_needed,
     [](WorldSpec& w) { w.tcb_info.content.levels[0].status = TcbStatus::sw_hardening_needed; }},
    {"TcbRevoked", Code::tcb_revoked,
     [](WorldSpec& w) { w.tcb_info.content.levels[0].status = TcbStatus::revoked; }},
    {"TcbBelowEveryLevel", Code::tcb_not_supported,
     [](WorldSpec& w) {
       w.tcb_info.content.levels.resize(1);
       --w.machine->tcb_components[0];
     }},
    {"PceBelowEveryLevel", Code::tcb_not_supported,
     [](WorldSpec& w) {
       w.tcb_info.content.levels.resize(1);
       --w.machine->pce_svn;
     }},
    {"QeOutOfDate", Code::tcb_out_of_date,
     [](WorldSpec& w) { w.qe_identity.content.levels[0].status = TcbStatus::out_of_date; }},
    {"QeRevoked", Code::tcb_revoked,
     [](WorldSpec& w) { w.qe_identity.content.levels[0].status = TcbStatus::revoked; }},
    {"QeBelowEveryLevel", Code::tcb_not_supported,
     [](WorldSpec& w) { w.quote.qe_report.isv_svn = 0; }},
    // P
    {"DebugEnclave", Code::enclave_debug,
     [](WorldSpec& w) { w.quote.report.attributes.bytes[0] |= kAttributeDebug; }},
    {"EnclaveNotInitialised", Code::enclave_attributes,
     [](WorldSpec& w) { w.quote.report.attributes.bytes[0] &= 0xff ^ kAttributeInit; }},
    {"EnclaveOf32Bits", Code::enclave_attributes,
     [](WorldSpec& w) { w.quote.report.attributes.bytes[0] &= 0xff ^ kAttributeMode64; }},
    {"EnclaveWithProvisionKey", Code::enclave_attributes,
     [](WorldSpec& w) { w.quote.report.attributes.bytes[0] |= kAttributeProvisionKey; }},
    {"EnclaveWithLaunchKey", Code::enclave_attributes,
     [](WorldSpec& w) { w.quote.report.attributes.bytes[0] |= kAttributeEinitTokenKey; }},
};

INSTANTIATE_TEST_SUITE_P(Verifier, ForgedWorld, ::testing::ValuesIn(kForgeries),
                         [](const auto& info) { return info.param.name; });

TEST(Verifier, AcceptsAGenuineQuoteAndReportsIt) {
  for (const auto ca : {sim::PckCa::platform, sim::PckCa::processor}) {
    sim::WorldBasics basics;
    basics.pck_ca = ca;
    const Trial trial(plan(basics));
    const Verdict verdict = trial.judge_quote();
    ASSERT_TRUE(accepted(verdict));
    const Report& report = verdict.result->report();
    EXPECT_TRUE(report.authenticated);
    EXPECT_TRUE(report.simulated);
    EXPECT_EQ(report.tcb_status, TcbStatus::up_to_date);
    EXPECT_EQ(report.pck_ca, ca == sim::PckCa::platform ? "platform" : "processor");
    EXPECT_EQ(report.enclave->mr_enclave, trial.world.quote_spec.report.mr_enclave);
    EXPECT_EQ(report.enclave->report_data, some_report_data());
    EXPECT_EQ(report.matched_entry, "trial");
    EXPECT_EQ(report.proves, Proves::quote);
    EXPECT_EQ(report.chain.size(), 3u);
    EXPECT_EQ(verdict.result->expires(),
              std::min(*report.collateral_expires, *report.collateral_issued + days(30)));
  }
}

TEST(Verifier, AcceptsVersion4) {
  WorldSpec spec = plan();
  spec.quote.header.version = 4;
  const Verdict verdict = Trial(spec).judge_quote();
  ASSERT_TRUE(accepted(verdict));
  EXPECT_EQ(verdict.report.quote_version, 4);
}

TEST(Verifier, TakesTheChainOfTheCollateralForCertificationDataWithoutOne) {
  for (const auto type : {CertificationType::ppid_clear, CertificationType::ppid_rsa2048,
                          CertificationType::ppid_rsa3072}) {
    WorldSpec spec = plan();
    spec.quote.certification.type = type;
    Trial trial(spec);
    EXPECT_TRUE(accepted(trial.judge_quote()));
    trial.world.collateral.pck_certificate_chain.reset();
    EXPECT_TRUE(refused_with(trial.judge_quote(), Code::certification_data_unsupported));
    trial.world.collateral.pck_certificate_chain = "nothing";
    EXPECT_TRUE(refused_with(trial.judge_quote(), Code::pck_chain_malformed));
  }
}

TEST(Verifier, RefusesAnotherRootBeforeItAsksForCollateral) {
  Trial trial(plan());
  trial.policy.root_pem = Trial(plan()).world.root_pem;
  const Verifier verifier = Verifier::create(trial.policy).value();
  GivenCollateral source(nullptr);
  EXPECT_TRUE(
      refused_with(verifier.verify_quote(trial.quote(), source, trial.now), Code::root_untrusted));
  EXPECT_TRUE(source.requests.empty());
  trial.policy.root_pem.reset();  // Intel's
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::root_untrusted));
}

TEST(Verifier, RefusesAnExpiredChainBeforeItAsksForCollateral) {
  WorldSpec spec = plan();
  spec.pck.spec.not_after = kWorldTime - seconds(1);
  const Trial trial(spec);
  const Verifier verifier = Verifier::create(trial.policy).value();
  GivenCollateral source(nullptr);
  EXPECT_TRUE(refused_with(verifier.verify_quote(trial.quote(), source, trial.now),
                           Code::pck_chain_expired));
  EXPECT_TRUE(source.requests.empty());
}

TEST(Verifier, JudgesTheChainAtTheTimeOfTheDecision) {
  WorldSpec spec = plan();
  spec.pck.spec.not_after = kWorldTime + seconds(10);
  const Trial trial(spec);
  const Verifier verifier = Verifier::create(trial.policy).value();
  const Examination examination = verifier.examine_quote(trial.quote(), kWorldTime);
  ASSERT_FALSE(examination.error().has_value());
  const auto collateral = trial.prepared(verifier.root());
  EXPECT_TRUE(accepted(verifier.decide(examination, *collateral, kWorldTime + seconds(10))));
  EXPECT_TRUE(refused_with(verifier.decide(examination, *collateral, kWorldTime + seconds(11)),
                           Code::pck_chain_expired));
}

TEST(Verifier, DecidesWhatTheExaminationFound) {
  WorldSpec spec = plan();
  spec.pck.spec.not_after = kWorldTime - seconds(1);
  const Trial trial(spec);
  const Verifier verifier = Verifier::create(trial.policy).value();
  const Examination examination = verifier.examine_quote(trial.quote(), kWorldTime);
  const auto collateral = trial.prepared(verifier.root());
  EXPECT_TRUE(refused_with(verifier.decide(examination, *collateral, kWorldTime - seconds(1)),
                           Code::pck_chain_expired));
}

TEST(Verifier, RefusesARootOfTheSameNameAndKey) {
  const WorldSpec spec = plan();
  WorldSpec renewed = spec;
  renewed.root.spec.not_after += days(365);
  Trial trial(spec);
  trial.policy.root_pem = sim::build_world(renewed).value().root_pem;
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::root_untrusted));
}

TEST(Verifier, RefusesCollateralUnderAnotherRoot) {
  Trial trial(plan());
  trial.world.collateral.tcb_info_issuer_chain =
      Trial(plan()).world.collateral.tcb_info_issuer_chain;
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::root_untrusted));
}

// One source may serve verifiers of several roots.
TEST(Verifier, RefusesCollateralPreparedForAnotherRoot) {
  const Trial trial(plan());
  const Verifier verifier = Verifier::create(trial.policy).value();
  const TrustRoot other = TrustRoot::from_pem(as_bytes(Trial(plan()).world.root_pem)).value();
  GivenCollateral source(trial.prepared(other));
  EXPECT_TRUE(
      refused_with(verifier.verify_quote(trial.quote(), source, trial.now), Code::root_untrusted));

  // All of it is rightly signed, but by the other root: only the comparison of the roots can tell.
  WorldSpec forged = plan();
  const sim::World foreign = sim::build_world(forged).value();
  Trial mixed = trial;
  const std::string pck_crl_chain = mixed.world.collateral.pck_crl_issuer_chain;
  const Bytes pck_crl = mixed.world.collateral.pck_crl;
  mixed.world.collateral = foreign.collateral;
  mixed.world.collateral.pck_crl = pck_crl;
  mixed.world.collateral.pck_crl_issuer_chain = pck_crl_chain;
  const TrustRoot foreign_root = TrustRoot::from_pem(as_bytes(foreign.root_pem)).value();
  GivenCollateral mixed_source(mixed.prepared(foreign_root));
  const Verdict verdict = verifier.verify_quote(trial.quote(), mixed_source, trial.now);
  EXPECT_TRUE(refused_with(verdict, Code::root_untrusted));
  EXPECT_FALSE(verdict.report.tcb_status);
}

TEST(Verifier, SaysWhichPlatformItNeedsCollateralFor) {
  const Trial trial(plan());
  const Verifier verifier = Verifier::create(trial.policy).value();
  GivenCollateral source(nullptr);
  EXPECT_TRUE(refused_with(verifier.verify_quote(trial.quote(), source, trial.now),
                           Code::collateral_unavailable));
  ASSERT_EQ(source.requests.size(), 1u);
  EXPECT_EQ(source.requests[0].tee, "sgx");
  EXPECT_EQ(source.requests[0].fmspc, to_hex(sim::default_machine(sim::PckCa::platform).fmspc));
  EXPECT_EQ(source.requests[0].pck_ca, "platform");
}

TEST(Verifier, RefusesAnIncompleteOrUnreadableChain) {
  for (const std::string_view body : {"", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n"}) {
    WorldSpec spec = plan();
    spec.certification_body = Bytes(body.begin(), body.end());
    EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), Code::pck_chain_malformed)) << body;
  }
  WorldSpec spec = plan();
  std::string pem = Trial(spec).world.pck_chain_pem;
  pem.resize(pem.rfind("-----BEGIN"));  // without the root
  spec.certification_body = Bytes(pem.begin(), pem.end());
  EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), Code::pck_chain_malformed));
}

TEST(Verifier, RefusesUnreadableRevocationLists) {
  for (Bytes Collateral::*list : {&Collateral::root_ca_crl, &Collateral::pck_crl}) {
    for (const Bytes& content : {Bytes{}, Bytes{0x30, 0x80, 0, 0}}) {
      Trial trial(plan());
      trial.world.collateral.*list = content;
      EXPECT_TRUE(refused_with(trial.judge_quote(), Code::crl_malformed));
    }
  }
}

TEST(Verifier, RefusesUnreadableSigningChains) {
  for (std::string Collateral::*chain :
       {&Collateral::tcb_info_issuer_chain, &Collateral::qe_identity_issuer_chain}) {
    Trial trial(plan());
    trial.world.collateral.*chain = "nothing";
    EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_chain_malformed));
    trial.world.collateral.*chain = trial.world.root_pem;
    EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_chain_malformed));
  }
}

TEST(Verifier, ChecksSignaturesOverTheExactBytes) {
  Trial trial(plan());
  trial.world.collateral.tcb_info += " ";
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_info_untrusted));
  Trial other(plan());
  other.world.collateral.qe_identity += " ";
  EXPECT_TRUE(refused_with(other.judge_quote(), Code::qe_identity_untrusted));
  Trial shortened(plan());
  shortened.world.collateral.tcb_info_signature.pop_back();
  EXPECT_TRUE(refused_with(shortened.judge_quote(), Code::tcb_info_untrusted));
}

TEST(Verifier, RefusesAnAttestationKeyThatIsNoPoint) {
  constexpr std::ptrdiff_t kKeyOffset = 48 + 384 + 4 + 64;  // header, report, size, signature
  WorldSpec spec = plan();
  const Bytes no_point(64, 0);
  spec.quote.qe_report_data.emplace();
  std::ranges::copy(crypto::sha256(no_point, spec.quote.qe_auth_data).bytes,
                    spec.quote.qe_report_data->bytes.begin());
  const Trial trial(spec);
  Bytes quote = trial.quote();
  std::ranges::copy(no_point, quote.begin() + kKeyOffset);
  EXPECT_TRUE(refused_with(trial.judge_quote(quote), Code::quote_untrusted));
}

TEST(Verifier, UsesTheNumbersOfThePckCertificateAndNotThoseOfTheQuote) {
  WorldSpec spec = plan();
  spec.tcb_info.content.levels.resize(1);
  spec.quote.report.cpu_svn.bytes.fill(0xff);
  spec.machine->tcb_components.fill(0);
  EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), Code::tcb_not_supported));
}

TEST(Verifier, DatesIncludeTheirFirstAndLastSecond) {
  WorldSpec spec = plan();
  spec.tcb_info.content.next_update = kWorldTime;
  spec.qe_identity.content.issue_date = kWorldTime;
  EXPECT_TRUE(accepted(Trial(spec).judge_quote()));
}

TEST(Verifier, ReportsNothingThatWasNotAuthenticated) {
  WorldSpec spec = plan();
  spec.quote.quote_signer = spec.stranger;
  const Verdict verdict = Trial(spec).judge_quote();
  EXPECT_FALSE(verdict.report.authenticated);
  EXPECT_FALSE(verdict.report.enclave.has_value());
  EXPECT_FALSE(verdict.report.tcb_status.has_value());
  EXPECT_TRUE(verdict.report.fmspc.has_value());  // of the PCK certificate, which was checked
}

TEST(VerifiedQuoteType, IsTheVerifiersToMake) {
  static_assert(!std::is_default_constructible_v<VerifiedQuote>);
  static_assert(!std::is_copy_constructible_v<VerifiedQuote>);
  static_assert(!std::is_constructible_v<VerifiedQuote, Report, UnixTime>);
}

TEST(VerifierCreate, RefusesAPolicyThatNamesNoEnclave) {
  EXPECT_EQ(Verifier::create(Policy{}).error().code(), Code::policy_empty);
}

TEST(VerifierCreate, RefusesARootThatIsNone) {
  Policy policy = policy_for(Trial(plan()).world);
  policy.root_pem = Trial(plan()).world.pck_chain_pem;
  EXPECT_EQ(Verifier::create(policy).error().code(), Code::policy_invalid);
  policy.root_pem = "";
  EXPECT_EQ(Verifier::create(policy).error().code(), Code::policy_invalid);
}

}  // namespace
}  // namespace ratls::testing
