// SPDX-License-Identifier: Apache-2.0
// TDs: their modules, their levels, their identity; each refusal wrong in one point alone.
#include <functional>

#include "verifier/trial.h"

namespace ratls::testing {
namespace {

using sim::kWorldTime;
using sim::WorldSpec;
using std::chrono::days;
using std::chrono::seconds;

WorldSpec plan_td() {
  sim::WorldBasics basics;
  basics.td = sim::default_td();
  return sim::plan_world(std::move(basics)).value();
}

// A TD of TDX 1.5: launched on the module of the plan, which still runs.
WorldSpec plan_td15() {
  WorldSpec spec = plan_td();
  spec.quote.header.version = 5;
  spec.quote.td->tee_tcb_svn2 = spec.quote.td->tee_tcb_svn;
  return spec;
}

std::vector<tcb::SvnLevel>& module_levels(WorldSpec& spec) {
  return spec.tcb_info.content.tdx_module_identities[0].levels;
}

// Below the module level that is UpToDate, at the one that is OutOfDate.
void take_old_module(TeeTcbSvn& tee_tcb_svn) { tee_tcb_svn.bytes[0] = 3; }

/// Forgery is a change to a world and the refusal that it must end in.
struct Forgery {
  const char* name;
  Code code;
  std::function<void(WorldSpec&)> change;
};

class ForgedTd : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedTd, IsRefused) {
  WorldSpec spec = plan_td();
  GetParam().change(spec);
  EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), GetParam().code));
}

const Forgery kForgeries[] = {
    // Collateral for SGX
    {"TcbInfoForSgx", Code::tcb_info_mismatch,
     [](WorldSpec& w) {
       w.tcb_info.content.id = tcb::TcbInfo::Id::sgx;
       w.tcb_info.content.tdx_module.reset();
       w.tcb_info.content.tdx_module_identities.clear();
     }},
    {"TcbInfoWithoutTdxPart", Code::tcb_info_malformed,
     [](WorldSpec& w) { w.tcb_info.content.tdx_module.reset(); }},
    {"QeIdentityOfQe", Code::qe_identity_mismatch,
     [](WorldSpec& w) { w.qe_identity.content.id = tcb::QeIdentity::Id::qe; }},
    // The module
    {"ModuleOfUnknownVersion", Code::tdx_module_mismatch,
     [](WorldSpec& w) { w.quote.td->tee_tcb_svn.bytes[1] = 4; }},
    {"ModuleIdentitiesAbsent", Code::tdx_module_mismatch,
     [](WorldSpec& w) { w.tcb_info.content.tdx_module_identities.clear(); }},
    {"ModuleOfOtherSigner", Code::tdx_module_mismatch,
     [](WorldSpec& w) { w.quote.td->mr_signer_seam.bytes[47] = 1; }},
    {"ModuleIdentityOfOtherSigner", Code::tdx_module_mismatch,
     [](WorldSpec& w) {
       w.tcb_info.content.tdx_module_identities[0].module.mr_signer.bytes[0] = 1;
     }},
    {"ModuleWithAttributes", Code::tdx_module_mismatch,
     [](WorldSpec& w) { w.quote.td->seam_attributes.bytes[7] = 1; }},
    {"ModuleIdentityWithAttributes", Code::tdx_module_mismatch,
     [](WorldSpec& w) {
       w.tcb_info.content.tdx_module_identities[0].module.attributes.bytes[0] = 1;
     }},
    {"ModuleAndIdentityWithAttributes", Code::tdx_module_mismatch,
     [](WorldSpec& w) {
       w.quote.td->seam_attributes.bytes[0] = 1;
       w.tcb_info.content.tdx_module_identities[0].module.attributes.bytes[0] = 1;
     }},
    // The levels
    {"ModuleOutOfDate", Code::tcb_out_of_date,
     [](WorldSpec& w) { take_old_module(w.quote.td->tee_tcb_svn); }},
    {"ModuleRevoked", Code::tcb_revoked,
     [](WorldSpec& w) { module_levels(w)[0].status = TcbStatus::revoked; }},
    {"ModuleBelowEveryLevel", Code::tcb_not_supported,
     [](WorldSpec& w) { w.quote.td->tee_tcb_svn.bytes[0] = 2; }},
    {"TdxComponentBelowTheLevel", Code::tcb_out_of_date,
     [](WorldSpec& w) { --w.quote.td->tee_tcb_svn.bytes[2]; }},
    {"LastTdxComponentBelowTheLevel", Code::tcb_out_of_date,
     [](WorldSpec& w) { w.tcb_info.content.levels[0].tdx_components[15] = 1; }},
    {"TdxComponentBelowEveryLevel", Code::tcb_not_supported,
     [](WorldSpec& w) {
       w.tcb_info.content.levels.resize(1);
       --w.quote.td->tee_tcb_svn.bytes[2];
     }},
    {"SgxComponentBelowEveryLevel", Code::tcb_not_supported,
     [](WorldSpec& w) {
       w.tcb_info.content.levels.resize(1);
       --w.machine->tcb_components[0];
     }},
    // Attributes
    {"DebugTd", Code::enclave_debug, [](WorldSpec& w) { w.quote.td->td_attributes.bytes[0] |= 1; }},
    {"TdWithReservedTudAttribute", Code::enclave_attributes,
     [](WorldSpec& w) { w.quote.td->td_attributes.bytes[0] |= 2; }},
    {"TdWithReservedSecAttribute", Code::enclave_attributes,
     [](WorldSpec& w) { w.quote.td->td_attributes.bytes[1] |= 1; }},
    {"TdWithReservedOtherAttribute", Code::enclave_attributes,
     [](WorldSpec& w) { w.quote.td->td_attributes.bytes[4] |= 1; }},
};

INSTANTIATE_TEST_SUITE_P(Verifier, ForgedTd, ::testing::ValuesIn(kForgeries),
                         [](const auto& info) { return info.param.name; });

TEST(TdQuote, IsAcceptedInEachForm) {
  WorldSpec version5 = plan_td();
  version5.quote.header.version = 5;
  for (const WorldSpec& spec : {plan_td(), version5, plan_td15()}) {
    const Trial trial(spec);
    const Verdict verdict = trial.judge_quote();
    ASSERT_TRUE(accepted(verdict));
    const Report& report = verdict.result->report();
    EXPECT_EQ(report.tee, Tee::tdx);
    EXPECT_EQ(report.quote_version, spec.quote.header.version);
    EXPECT_TRUE(report.authenticated);
    ASSERT_NE(verdict.result->td(), nullptr);
    EXPECT_EQ(verdict.result->enclave(), nullptr);
    EXPECT_EQ(verdict.result->td()->mr_td, spec.quote.td->mr_td);
    EXPECT_EQ(verdict.result->td()->report_data, some_report_data());
    EXPECT_EQ(verdict.result->td()->tee_tcb_svn2, spec.quote.td->tee_tcb_svn2);
    EXPECT_EQ(report.tcb_status, TcbStatus::up_to_date);
    EXPECT_EQ(report.module_tcb_status, TcbStatus::up_to_date);
    EXPECT_EQ(report.matched_entry, "trial");
    EXPECT_TRUE(report.advisories.empty());
  }
}

TEST(TdQuote, AsksForTdxCollateral) {
  const Trial trial(plan_td());
  const Verifier verifier = Verifier::create(trial.policy).value();
  GivenCollateral source(nullptr);
  EXPECT_TRUE(refused_with(verifier.verify_quote(trial.quote(), source, trial.now),
                           Code::collateral_unavailable));
  ASSERT_EQ(source.requests.size(), 1u);
  EXPECT_EQ(source.requests[0].tee, "tdx");
}

TEST(EnclaveQuote, IsAcceptedInVersion5) {
  WorldSpec spec = sim::plan_world().value();
  spec.quote.header.version = 5;
  const Verdict verdict = Trial(spec).judge_quote();
  ASSERT_TRUE(accepted(verdict));
  EXPECT_EQ(verdict.report.quote_version, 5);
  EXPECT_EQ(verdict.report.tee, Tee::sgx);
  EXPECT_FALSE(verdict.report.module_tcb_status);
}

// Version 0 is from before modules had identities: one for all, and their SVN in the levels.
class OldestModule : public ::testing::Test {
 protected:
  OldestModule() { spec.quote.td->tee_tcb_svn.bytes[1] = 0; }
  Verdict judge() const { return Trial(spec).judge_quote(); }
  WorldSpec spec = plan_td();
};

TEST_F(OldestModule, NeedsNoIdentityOfItsOwn) {
  const Verdict verdict = judge();
  ASSERT_TRUE(accepted(verdict));
  EXPECT_FALSE(verdict.report.module_tcb_status);
  spec.tcb_info.content.tdx_module_identities.clear();
  EXPECT_TRUE(accepted(judge()));
}

TEST_F(OldestModule, IsComparedWithTheModuleForAll) {
  spec.tcb_info.content.tdx_module->mr_signer.bytes[0] = 1;
  EXPECT_TRUE(refused_with(judge(), Code::tdx_module_mismatch));
  spec.quote.td->mr_signer_seam.bytes[0] = 1;
  EXPECT_TRUE(accepted(judge()));
  spec.tcb_info.content.tdx_module->attributes.bytes[0] = 1;
  EXPECT_TRUE(refused_with(judge(), Code::tdx_module_mismatch));
}

TEST_F(OldestModule, CountsItsSvnAmongTheComponents) {
  --spec.quote.td->tee_tcb_svn.bytes[0];
  EXPECT_TRUE(refused_with(judge(), Code::tcb_out_of_date));
  ++spec.quote.td->tee_tcb_svn.bytes[0];
  spec.tcb_info.content.levels[0].tdx_components[1] = 1;
  EXPECT_TRUE(refused_with(judge(), Code::tcb_out_of_date));
}

TEST(NewerModule, IsNotComparedWithTheModuleForAll) {
  WorldSpec spec = plan_td();
  spec.tcb_info.content.tdx_module->mr_signer.bytes[0] = 1;
  EXPECT_TRUE(accepted(Trial(spec).judge_quote()));
}

TEST(NewerModule, DoesNotCountItsSvnAmongTheComponents) {
  WorldSpec spec = plan_td();
  spec.tcb_info.content.levels[0].tdx_components[0] = 9;
  spec.tcb_info.content.levels[0].tdx_components[1] = 9;
  EXPECT_TRUE(accepted(Trial(spec).judge_quote()));
}

TEST(OutdatedModule, IsReportedWithItsAdvisories) {
  WorldSpec spec = plan_td();
  spec.tcb_info.content.levels[0].status = TcbStatus::sw_hardening_needed;
  spec.tcb_info.content.levels[0].advisories = {"INTEL-SA-00001"};
  take_old_module(spec.quote.td->tee_tcb_svn);
  const Verdict verdict = Trial(spec).judge_quote();
  EXPECT_TRUE(refused_with(verdict, Code::tcb_out_of_date));
  EXPECT_EQ(verdict.report.tcb_status, TcbStatus::out_of_date);
  EXPECT_EQ(verdict.report.platform_tcb_status, TcbStatus::sw_hardening_needed);
  EXPECT_EQ(verdict.report.module_tcb_status, TcbStatus::out_of_date);
  EXPECT_EQ(verdict.report.module_tcb_date, module_levels(spec)[1].date);
  EXPECT_EQ(verdict.report.advisories,
            (std::vector<std::string>{"INTEL-SA-00001", "INTEL-SA-01036"}));
}

TEST(OutdatedModule, KeepsThatConfigurationIsNeeded) {
  for (const TcbStatus platform :
       {TcbStatus::configuration_needed, TcbStatus::configuration_and_sw_hardening_needed}) {
    WorldSpec spec = plan_td();
    spec.tcb_info.content.levels[0].status = platform;
    take_old_module(spec.quote.td->tee_tcb_svn);
    Trial trial(spec);
    const Verdict verdict = trial.judge_quote();
    EXPECT_TRUE(refused_with(verdict, Code::tcb_out_of_date));
    EXPECT_EQ(verdict.report.tcb_status, TcbStatus::out_of_date_configuration_needed);
    trial.policy.tcb.accept.push_back(TcbStatus::out_of_date);
    EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_out_of_date));
    trial.policy.tcb.accept.push_back(TcbStatus::out_of_date_configuration_needed);
    EXPECT_TRUE(accepted(trial.judge_quote()));
  }
}

TEST(OutdatedModule, HasAGraceFromTheEarliestDate) {
  WorldSpec spec = plan_td();
  take_old_module(spec.quote.td->tee_tcb_svn);
  module_levels(spec)[1].date = kWorldTime - days(100);
  Trial trial(spec);
  trial.policy.tcb.out_of_date_grace = days(100);
  EXPECT_TRUE(accepted(trial.judge_quote()));
  trial.policy.tcb.out_of_date_grace -= seconds(1);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_out_of_date));

  const auto judge_within = [&](days grace) {
    Trial changed(spec);
    changed.policy.tcb.out_of_date_grace = grace;
    return changed.judge_quote();
  };
  spec.qe_identity.content.levels[0].status = TcbStatus::out_of_date;
  spec.qe_identity.content.levels[0].date = kWorldTime - days(150);
  EXPECT_TRUE(refused_with(judge_within(days(149)), Code::tcb_out_of_date));
  EXPECT_TRUE(accepted(judge_within(days(150))));
  spec.tcb_info.content.levels[0].status = TcbStatus::out_of_date;
  spec.tcb_info.content.levels[0].date = kWorldTime - days(200);
  EXPECT_TRUE(refused_with(judge_within(days(199)), Code::tcb_out_of_date));
  EXPECT_TRUE(accepted(judge_within(days(200))));
  module_levels(spec)[1].date = kWorldTime - days(250);
  EXPECT_TRUE(refused_with(judge_within(days(249)), Code::tcb_out_of_date));
  EXPECT_TRUE(accepted(judge_within(days(250))));
}

// Launched on an outdated module, on a platform that has been updated since.
class Relaunch : public ::testing::Test {
 protected:
  Relaunch() { take_old_module(spec.quote.td->tee_tcb_svn); }
  WorldSpec spec = plan_td15();
};

TEST_F(Relaunch, IsAdvisedAfterAnUpdate) {
  Trial trial(spec);
  const Verdict verdict = trial.judge_quote();
  EXPECT_TRUE(refused_with(verdict, Code::tcb_td_relaunch_advised));
  EXPECT_EQ(verdict.report.tcb_status, TcbStatus::td_relaunch_advised);
  trial.policy.tcb.accept.push_back(TcbStatus::out_of_date);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_td_relaunch_advised));
  trial.policy.tcb.out_of_date_grace = days(10000);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_td_relaunch_advised));
  trial.policy.tcb.accept.push_back(TcbStatus::td_relaunch_advised);
  EXPECT_TRUE(accepted(trial.judge_quote()));
}

TEST_F(Relaunch, IsAdvisedAfterAnUpdateOfMicrocode) {
  spec.quote.td->tee_tcb_svn = *spec.quote.td->tee_tcb_svn2;
  --spec.quote.td->tee_tcb_svn.bytes[2];
  EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), Code::tcb_td_relaunch_advised));
}

TEST_F(Relaunch, WithConfigurationIsAStatusOfItsOwn) {
  spec.tcb_info.content.levels[0].status = TcbStatus::configuration_needed;
  Trial trial(spec);
  const Verdict verdict = trial.judge_quote();
  EXPECT_TRUE(refused_with(verdict, Code::tcb_td_relaunch_advised));
  EXPECT_EQ(verdict.report.tcb_status, TcbStatus::td_relaunch_advised_configuration_needed);
  trial.policy.tcb.accept.push_back(TcbStatus::td_relaunch_advised);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_td_relaunch_advised));
  trial.policy.tcb.accept.push_back(TcbStatus::td_relaunch_advised_configuration_needed);
  EXPECT_TRUE(accepted(trial.judge_quote()));
}

TEST_F(Relaunch, HelpsNothingOnAnOutdatedModule) {
  take_old_module(*spec.quote.td->tee_tcb_svn2);
  EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), Code::tcb_out_of_date));
}

TEST_F(Relaunch, OnAModuleThatIsNotSupportedIsRefused) {
  spec.quote.td->tee_tcb_svn2->bytes[0] = 2;
  Trial trial(spec);
  trial.policy.tcb.accept.push_back(TcbStatus::out_of_date);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_not_supported));
}

TEST_F(Relaunch, OnARevokedModuleIsRefused) {
  module_levels(spec)[0].status = TcbStatus::revoked;
  Trial trial(spec);
  trial.policy.tcb.accept.push_back(TcbStatus::out_of_date);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_revoked));
}

TEST(CurrentModule, ThatIsNotSupportedIsRefusedWhateverTheLaunch) {
  WorldSpec spec = plan_td15();
  spec.quote.td->tee_tcb_svn2->bytes[0] = 2;
  EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), Code::tcb_not_supported));
}

// As Intel's library: SVN 2 only tells whether a relaunch would help.
TEST(CurrentModule, ThatIsOlderThanTheLaunchChangesNothing) {
  WorldSpec spec = plan_td15();
  take_old_module(*spec.quote.td->tee_tcb_svn2);
  const Verdict verdict = Trial(spec).judge_quote();
  ASSERT_TRUE(accepted(verdict));
  EXPECT_EQ(verdict.report.tcb_status, TcbStatus::up_to_date);
}

TEST(TdIdentityEntry, ComparesEveryFieldItStates) {
  struct Field {
    const char* name;
    std::function<void(TdIdentity&)> change;
  };
  std::vector<Field> fields{
      {"mr_td", [](TdIdentity& td) { td.mr_td->bytes[47] ^= 1; }},
      {"mr_config_id", [](TdIdentity& td) { td.mr_config_id->bytes[47] ^= 1; }},
      {"mr_owner", [](TdIdentity& td) { td.mr_owner->bytes[47] ^= 1; }},
      {"mr_owner_config", [](TdIdentity& td) { td.mr_owner_config->bytes[47] ^= 1; }}};
  for (std::size_t i = 0; i < 4; ++i) {
    fields.push_back({"rtmr", [i](TdIdentity& td) { td.rtmr[i]->bytes[47] ^= 1; }});
  }
  const Trial genuine(plan_td());
  const TdReport& td = *genuine.world.quote_spec.td;
  TdIdentity all;
  all.mr_td = td.mr_td;
  for (std::size_t i = 0; i < 4; ++i) all.rtmr[i] = td.rtmr[i];
  all.mr_config_id = td.mr_config_id;
  all.mr_owner = td.mr_owner;
  all.mr_owner_config = td.mr_owner_config;
  all.sept_ve_disable = true;
  Trial trial = genuine;
  trial.policy.tds = {all};
  EXPECT_TRUE(accepted(trial.judge_quote()));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    trial.policy.tds = {all};
    fields[i].change(trial.policy.tds[0]);
    EXPECT_TRUE(refused_with(trial.judge_quote(), Code::identity_mismatch))
        << fields[i].name << ", field " << i;
  }
  trial.policy.tds.push_back(all);
  trial.policy.tds[1].name = "second";
  EXPECT_EQ(trial.judge_quote().report.matched_entry, "second");
}

TEST(TdIdentityEntry, MayDemandSeptVeDisable) {
  WorldSpec spec = plan_td();
  spec.quote.td->td_attributes = {};
  Trial trial(spec);
  EXPECT_TRUE(accepted(trial.judge_quote()));
  trial.policy.tds[0].sept_ve_disable = true;
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::identity_mismatch));
}

TEST(TdIdentityEntry, AcceptsADebugTdOnlyOnDemand) {
  WorldSpec spec = plan_td();
  spec.quote.td->td_attributes.bytes[0] |= 1;
  Trial trial(spec);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::enclave_debug));
  trial.policy.dangerous_allow_debug = true;
  EXPECT_TRUE(accepted(trial.judge_quote()));
}

TEST(TdIdentityEntry, DoesNotCountForEnclavesNorTheirsForTds) {
  Trial td(plan_td());
  Trial enclave(sim::plan_world().value());
  const Policy td_policy = td.policy;
  td.policy.tds.clear();
  td.policy.enclaves = enclave.policy.enclaves;
  EXPECT_TRUE(refused_with(td.judge_quote(), Code::identity_mismatch));
  enclave.policy.enclaves.clear();
  enclave.policy.tds = td_policy.tds;
  EXPECT_TRUE(refused_with(enclave.judge_quote(), Code::identity_mismatch));
}

TEST(TdCertificate, OfAServerIsAccepted) {
  for (const WorldSpec& spec : {plan_td(), plan_td15()}) {
    const Trial trial(spec);
    const Verdict verdict = trial.judge_certificate(trial.attested_certificate());
    ASSERT_TRUE(accepted(verdict));
    EXPECT_EQ(verdict.report.tee, Tee::tdx);
    EXPECT_EQ(verdict.report.evidence_format, "dice");
    EXPECT_TRUE(verdict.report.validity_bound);
  }
}

// DICE evidence of the trial's TD and a legacy quote, which is another's.
Verdict judge_with_legacy_of(const Trial& trial, const sim::World& legacy_world) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  x509::CertificateSpec spec;
  spec.serial = {1};
  spec.subject = spec.issuer = {{"CN", "forged"}};
  spec.not_before = kWorldTime - seconds(300);
  spec.not_after = kWorldTime + days(1);
  spec.subject_spki = key.spki_der().value();
  const Bytes claims = evidence::write_claims(spec.subject_spki, spec.not_after);
  const auto extension = [](BytesView oid, Bytes value) {
    return x509::Extension{
        .oid = Bytes(oid.begin(), oid.end()), .critical = false, .value = std::move(value)};
  };
  const Bytes dice = trial.world.quote(evidence::report_data_for(claims)).value();
  spec.extensions = {
      extension(evidence::dice_oid(), evidence::write_dice(dice, claims)),
      extension(evidence::gramine_legacy_oid(),
                legacy_world.quote(evidence::report_data_for(spec.subject_spki)).value())};
  return trial.judge_certificate(x509::build_certificate(spec, key).value());
}

TEST(TdCertificate, WithFormatsForDifferentTdsIsRefused) {
  const std::function<void(TdReport&)> changes[] = {
      [](TdReport& td) { td.tee_tcb_svn.bytes[15] ^= 1; },
      [](TdReport& td) { td.mr_td.bytes[0] ^= 1; }, [](TdReport& td) { td.rtmr[3].bytes[47] ^= 1; },
      [](TdReport& td) { td.tee_tcb_svn2->bytes[0] ^= 1; },
      [](TdReport& td) { td.mr_service_td->bytes[47] ^= 1; }};
  WorldSpec spec = plan_td15();
  spec.quote.td->mr_service_td.emplace();
  const Trial trial(spec);
  EXPECT_TRUE(accepted(judge_with_legacy_of(trial, trial.world)));
  for (const auto& change : changes) {
    sim::World other = trial.world;
    change(*other.quote_spec.td);
    EXPECT_TRUE(refused_with(judge_with_legacy_of(trial, other), Code::evidence_conflict));
  }
}

TEST(TdCertificate, WithALegacyQuoteOfAnEnclaveIsRefused) {
  const Trial trial(plan_td());
  const Trial enclave(sim::plan_world().value());
  EXPECT_TRUE(refused_with(judge_with_legacy_of(trial, enclave.world), Code::evidence_conflict));
  EXPECT_TRUE(refused_with(judge_with_legacy_of(enclave, trial.world), Code::evidence_conflict));
}

}  // namespace
}  // namespace ratls::testing
