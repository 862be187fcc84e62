// SPDX-License-Identifier: Apache-2.0
#include "policy/rules.h"

#include <gtest/gtest.h>

namespace ratls {
namespace {

Policy valid() {
  Policy policy;
  policy.enclaves.emplace_back();
  policy.enclaves[0].mr_enclave.emplace();
  policy.enclaves[0].mr_enclave->bytes[31] = 1;
  return policy;
}

Code code_of(const Policy& policy) {
  const auto checked = check_policy(policy);
  return checked ? Code::ok : checked.error().code();
}

TEST(CheckPolicy, RefusesADefaultOne) {
  EXPECT_EQ(code_of(Policy()), Code::policy_empty);
  EXPECT_EQ(code_of(valid()), Code::ok);
}

TEST(CheckPolicy, ChecksEveryEntry) {
  Policy policy = valid();
  policy.enclaves.emplace_back();
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
  policy.enclaves[1].mr_signer.emplace();
  policy.enclaves[1].mr_signer->bytes[0] = 1;
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
  policy.enclaves[1].isv_prod_id = 0;
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
  policy.enclaves[1].min_isv_svn = 0;
  EXPECT_EQ(code_of(policy), Code::ok);
  policy.enclaves[1].attributes_mask.emplace();
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
}

TEST(CheckPolicy, RefusesZeroMeasurements) {
  Policy policy = valid();
  policy.enclaves[0].mr_enclave.emplace();
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
  policy = valid();
  policy.enclaves[0].mr_signer.emplace();
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
}

TEST(CheckPolicy, NeverAcceptsRevokedOrNotSupported) {
  for (TcbStatus status : {TcbStatus::revoked, TcbStatus::not_supported}) {
    Policy policy = valid();
    policy.tcb.accept.push_back(status);
    EXPECT_EQ(code_of(policy), Code::policy_invalid);
  }
}

TEST(CheckPolicy, ChecksListsMadeInCode) {
  const auto refuses = [](auto change) {
    Policy policy = valid();
    change(policy);
    return code_of(policy) == Code::policy_invalid;
  };
  EXPECT_TRUE(refuses([](Policy& p) { p.tcb.accept_advisories = {"SA-1"}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.tcb.reject_advisories = {"INTEL-SA-1"}; }));
  for (const char* advisory : {"INTEL-DOC-a", "INTEL-DOC 1", "INTEL-SA-0061A"}) {
    EXPECT_TRUE(refuses([&](Policy& p) { p.tcb.reject_advisories = {advisory}; })) << advisory;
  }
  EXPECT_TRUE(refuses([](Policy& p) { p.platform.fmspc = {"00606A000000"}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.platform.fmspc = {"00606/000000"}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.platform.ppid = {"00"}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.platform.pck_ca = {"both"}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.collateral.sources = {}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.collateral.sources = {"http://h/"}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.collateral.sources = {"stapled"}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.collateral.sources = {"https://h\x7f/"}; }));
  EXPECT_TRUE(refuses([](Policy& p) { p.collateral.sources = {"http://localhost/?a=b"}; }));
}

TEST(CheckPolicy, RefusesNegativeDurations) {
  const std::chrono::seconds negative(-1);
  Policy policy = valid();
  policy.tcb.out_of_date_grace = negative;
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
  policy = valid();
  policy.tcb.max_collateral_age = negative;
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
  policy = valid();
  policy.session.max_certificate_lifetime = negative;
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
}

TEST(CheckPolicy, RefusesDurationsThatOverflowATime) {
  Policy policy = valid();
  policy.tcb.max_collateral_age = std::chrono::days(36600);
  EXPECT_EQ(code_of(policy), Code::ok);
  policy.tcb.max_collateral_age += std::chrono::seconds(1);
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
}

TEST(CheckPolicy, AllowsStapledOnlyWithEvaluationNumber) {
  Policy policy = valid();
  policy.collateral.sources = {"pcs", "stapled"};
  EXPECT_EQ(code_of(policy), Code::policy_invalid);
  policy.tcb.min_evaluation_number = 1;
  EXPECT_EQ(code_of(policy), Code::ok);
}

}  // namespace
}  // namespace ratls
