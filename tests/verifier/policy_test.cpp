// SPDX-License-Identifier: Apache-2.0
// What a policy allows and refuses, on worlds that are genuine.
#include "verifier/trial.h"

namespace ratls::testing {
namespace {

using sim::kWorldTime;
using sim::WorldSpec;
using std::chrono::days;
using std::chrono::seconds;

WorldSpec plan() { return sim::plan_world().value(); }

WorldSpec plan_with_status(TcbStatus status, std::vector<std::string> advisories = {}) {
  WorldSpec spec = plan();
  spec.tcb_info.content.levels[0].status = status;
  spec.tcb_info.content.levels[0].advisories = std::move(advisories);
  spec.tcb_info.content.levels[0].date = kWorldTime - days(100);
  return spec;
}

TEST(TcbPolicy, AcceptsAListedStatus) {
  for (const auto status : {TcbStatus::sw_hardening_needed, TcbStatus::configuration_needed,
                            TcbStatus::configuration_and_sw_hardening_needed,
                            TcbStatus::out_of_date, TcbStatus::out_of_date_configuration_needed}) {
    Trial trial(plan_with_status(status, {"INTEL-SA-00001"}));
    EXPECT_FALSE(trial.judge_quote().accepted());
    trial.policy.tcb.accept.push_back(status);
    const Verdict verdict = trial.judge_quote();
    ASSERT_TRUE(accepted(verdict));
    EXPECT_EQ(verdict.report.tcb_status, status);
    EXPECT_EQ(verdict.report.advisories, std::vector<std::string>{"INTEL-SA-00001"});
  }
}

TEST(TcbPolicy, JoinsPlatformAndQe) {
  WorldSpec spec =
      plan_with_status(TcbStatus::configuration_needed, {"INTEL-SA-00002", "INTEL-SA-00003"});
  spec.qe_identity.content.levels[0].status = TcbStatus::out_of_date;
  spec.qe_identity.content.levels[0].advisories = {"INTEL-SA-00003", "INTEL-SA-00001"};
  Trial trial(spec);
  trial.policy.tcb.accept = {TcbStatus::out_of_date_configuration_needed};
  const Verdict verdict = trial.judge_quote();
  ASSERT_TRUE(accepted(verdict));
  EXPECT_EQ(verdict.report.advisories,
            (std::vector<std::string>{"INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003"}));
  EXPECT_EQ(verdict.report.platform_tcb_status, TcbStatus::configuration_needed);
  EXPECT_EQ(verdict.report.qe_tcb_status, TcbStatus::out_of_date);
}

TEST(TcbPolicy, RefusesUpToDateWhenItIsNotListed) {
  Trial trial(plan());
  trial.policy.tcb.accept = {TcbStatus::sw_hardening_needed};
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_out_of_date));
}

TEST(TcbPolicy, GraceCountsFromTheDateOfTheLevel) {
  Trial trial(plan_with_status(TcbStatus::out_of_date));
  trial.policy.tcb.out_of_date_grace = days(100);
  EXPECT_TRUE(accepted(trial.judge_quote()));
  trial.policy.tcb.out_of_date_grace = days(100) - seconds(1);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_out_of_date));
}

TEST(TcbPolicy, NoGraceIsNoneEvenBeforeTheDateOfTheLevel) {
  WorldSpec spec = plan_with_status(TcbStatus::out_of_date);
  spec.tcb_info.content.levels[0].date = kWorldTime + days(1);
  EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), Code::tcb_out_of_date));
}

TEST(TcbPolicy, GraceTakesTheEarlierDateAndNoOtherStatus) {
  WorldSpec spec = plan_with_status(TcbStatus::out_of_date);
  spec.qe_identity.content.levels[0].status = TcbStatus::out_of_date;
  spec.qe_identity.content.levels[0].date = kWorldTime - days(200);
  Trial trial(spec);
  trial.policy.tcb.out_of_date_grace = days(150);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_out_of_date));
  trial.policy.tcb.out_of_date_grace = days(200);
  EXPECT_TRUE(accepted(trial.judge_quote()));
  Trial other(plan_with_status(TcbStatus::out_of_date_configuration_needed));
  other.policy.tcb.out_of_date_grace = days(1000);
  EXPECT_TRUE(refused_with(other.judge_quote(), Code::tcb_out_of_date));
}

// The host chooses its QE: an older one makes SWHardeningNeeded OutOfDate, which is no better.
TEST(TcbPolicy, GraceForTheQeNeedsAnAcceptedPlatform) {
  WorldSpec spec = plan_with_status(TcbStatus::sw_hardening_needed);
  Trial trial(spec);
  trial.policy.tcb.out_of_date_grace = days(1000);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_sw_hardening_needed));
  spec.qe_identity.content.levels[0].status = TcbStatus::out_of_date;
  spec.qe_identity.content.levels[0].date = kWorldTime - days(10);
  Trial older(spec);
  older.policy.tcb.out_of_date_grace = days(1000);
  EXPECT_TRUE(refused_with(older.judge_quote(), Code::tcb_out_of_date));
  older.policy.tcb.accept.push_back(TcbStatus::sw_hardening_needed);
  EXPECT_TRUE(accepted(older.judge_quote()));
}

TEST(TcbPolicy, RestrictsAdvisories) {
  Trial trial(
      plan_with_status(TcbStatus::sw_hardening_needed, {"INTEL-SA-00001", "INTEL-SA-00002"}));
  trial.policy.tcb.accept.push_back(TcbStatus::sw_hardening_needed);
  trial.policy.tcb.accept_advisories = std::vector<std::string>{"INTEL-SA-00001"};
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_advisory_not_accepted));
  trial.policy.tcb.accept_advisories = std::vector<std::string>{"INTEL-SA-00001", "INTEL-SA-00002"};
  EXPECT_TRUE(accepted(trial.judge_quote()));
  trial.policy.tcb.reject_advisories = {"INTEL-SA-00002"};
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_advisory_not_accepted));
  trial.policy.tcb.reject_advisories.clear();
  trial.policy.tcb.accept_advisories = std::vector<std::string>{};
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_advisory_not_accepted));
}

TEST(TcbPolicy, DemandsAnEvaluationNumber) {
  WorldSpec spec = plan();
  spec.tcb_info.content.evaluation_number = 20;
  spec.qe_identity.content.evaluation_number = 19;
  Trial trial(spec);
  trial.policy.tcb.min_evaluation_number = 19;
  EXPECT_TRUE(accepted(trial.judge_quote()));
  EXPECT_EQ(trial.judge_quote().report.tcb_evaluation_number, 19u);
  trial.policy.tcb.min_evaluation_number = 20;
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::tcb_evaluation_number_too_low));
}

TEST(TcbPolicy, BoundsTheAgeOfCollateral) {
  WorldSpec spec = plan();
  spec.qe_identity.content.issue_date = kWorldTime - days(5);
  Trial trial(spec);
  trial.policy.tcb.max_collateral_age = days(5);
  const Verdict verdict = trial.judge_quote();
  ASSERT_TRUE(accepted(verdict));
  EXPECT_EQ(verdict.result->expires(), kWorldTime);
  trial.policy.tcb.max_collateral_age = days(5) - seconds(1);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::collateral_too_old));
}

TEST(EnclavePolicy, MatchesAnyOfSeveralEntries) {
  Trial trial(plan());
  EnclaveIdentity other;
  other.name = "other";
  other.mr_enclave = MrEnclave{{7}};
  trial.policy.enclaves.insert(trial.policy.enclaves.begin(), other);
  EXPECT_EQ(trial.judge_quote().report.matched_entry, "trial");
  trial.policy.enclaves = {other, other};
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::identity_mismatch));
}

/// A change to an entry that matches otherwise, which must make it fail.
struct Mismatch {
  const char* name;
  std::function<void(EnclaveIdentity&)> change;
};

class EntryField : public ::testing::TestWithParam<Mismatch> {};

TEST_P(EntryField, MustHold) {
  WorldSpec spec = plan();
  spec.quote.report.isv_prod_id = 3;
  spec.quote.report.isv_svn = 5;
  spec.quote.report.config_svn = 5;
  Trial trial(spec);
  EnclaveIdentity& identity = trial.policy.enclaves[0];
  const EnclaveReport& report = spec.quote.report;
  identity.mr_signer = report.mr_signer;
  identity.isv_prod_id = 3;
  identity.min_isv_svn = 5;
  identity.isv_family_id = report.isv_family_id;
  identity.isv_ext_prod_id = report.isv_ext_prod_id;
  identity.config_id = report.config_id;
  identity.min_config_svn = 5;
  identity.attributes = report.attributes;
  identity.misc_select =
      FixedBytes<4, struct MiscSelectTag>{{static_cast<std::uint8_t>(report.misc_select), 0, 0, 0}};
  ASSERT_TRUE(accepted(trial.judge_quote()));
  GetParam().change(identity);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::identity_mismatch));
}

INSTANTIATE_TEST_SUITE_P(
    EnclavePolicy, EntryField,
    ::testing::Values(
        Mismatch{"MrEnclave", [](EnclaveIdentity& e) { e.mr_enclave->bytes[31] ^= 1; }},
        Mismatch{"MrSigner", [](EnclaveIdentity& e) { e.mr_signer->bytes[31] ^= 1; }},
        Mismatch{"IsvProdId", [](EnclaveIdentity& e) { e.isv_prod_id = 4; }},
        Mismatch{"MinIsvSvn", [](EnclaveIdentity& e) { e.min_isv_svn = 6; }},
        Mismatch{"IsvFamilyId", [](EnclaveIdentity& e) { e.isv_family_id->bytes[0] ^= 1; }},
        Mismatch{"IsvExtProdId", [](EnclaveIdentity& e) { e.isv_ext_prod_id->bytes[0] ^= 1; }},
        Mismatch{"ConfigId", [](EnclaveIdentity& e) { e.config_id->bytes[63] ^= 1; }},
        Mismatch{"MinConfigSvn", [](EnclaveIdentity& e) { e.min_config_svn = 6; }},
        Mismatch{"Attributes", [](EnclaveIdentity& e) { e.attributes->bytes[15] ^= 1; }},
        Mismatch{"MiscSelect", [](EnclaveIdentity& e) { e.misc_select->bytes[3] ^= 1; }}),
    [](const auto& info) { return info.param.name; });

TEST(EnclavePolicy, MasksLeaveBitsOut) {
  Trial trial(plan());
  EnclaveIdentity& identity = trial.policy.enclaves[0];
  identity.attributes = trial.world.quote_spec.report.attributes;
  identity.attributes->bytes[8] ^= 0x80;
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::identity_mismatch));
  identity.attributes_mask = SgxAttributes{};
  identity.attributes_mask->bytes[0] = 0xff;
  EXPECT_TRUE(accepted(trial.judge_quote()));
}

TEST(EnclavePolicy, AllowsDebugOnlyWhenItSaysSo) {
  WorldSpec spec = plan();
  spec.quote.report.attributes.bytes[0] |= kAttributeDebug;
  Trial trial(spec);
  EXPECT_TRUE(refused_with(trial.judge_quote(), Code::enclave_debug));
  trial.policy.dangerous_allow_debug = true;
  EXPECT_TRUE(accepted(trial.judge_quote()));
}

TEST(PlatformPolicy, AllowsOnlyWhatIsListed) {
  using List = std::optional<std::vector<std::string>>;
  const x509::PckExtension machine = sim::default_machine(sim::PckCa::platform);
  const std::tuple<List PlatformPolicy::*, std::string, std::string> lists[] = {
      {&PlatformPolicy::fmspc, to_hex(machine.fmspc), std::string(12, '0')},
      {&PlatformPolicy::ppid, to_hex(machine.ppid), std::string(32, '0')},
      {&PlatformPolicy::pck_ca, "platform", "processor"}};
  for (const auto& [list, own, other] : lists) {
    Trial trial(plan());
    trial.policy.platform.*list = {other, own};
    EXPECT_TRUE(accepted(trial.judge_quote()));
    trial.policy.platform.*list = std::vector<std::string>{other};
    EXPECT_TRUE(refused_with(trial.judge_quote(), Code::platform_not_allowed));
    trial.policy.platform.*list = std::vector<std::string>{};
    EXPECT_TRUE(refused_with(trial.judge_quote(), Code::platform_not_allowed));
  }
}

}  // namespace
}  // namespace ratls::testing
