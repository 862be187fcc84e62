// SPDX-License-Identifier: Apache-2.0
#include "sim/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/reader.h"
#include "ratls/collateral.h"
#include "sim/world.h"
#include "support/vectors.h"

namespace ratls::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

crypto::P256PublicKey public_key(const Key& key) {
  return crypto::P256PublicKey::from_point(key->public_point().value()).value();
}

// Documents that are written with all of version 3's members for SGX, hex in upper case.
std::vector<Collateral> genuine_collateral(const std::filesystem::path& dir) {
  std::vector<Collateral> out;
  std::set<std::string> seen;
  for (const auto& test_case : ratls::testing::read_cases(dir)) {
    if (!test_case.contains("collateral") || !test_case["collateral"].is_string()) continue;
    const auto path = test_case["collateral"].get<std::string>();
    if (!path.starts_with("real/") || !seen.insert(path).second) continue;
    const auto bytes = ratls::testing::read_vector(dir / path);
    auto collateral = parse_collateral(as_text(bytes));
    if (collateral) out.push_back(std::move(collateral).value());
  }
  return out;
}

TEST(FormatTcbInfo, WritesIntelsForm) {
  const std::string text = format_tcb_info(plan_world().value().tcb_info.content);
  EXPECT_THAT(text, StartsWith(R"({"id":"SGX","version":3,"issueDate":"2026-01-15T11:55:00Z",)"
                               R"("nextUpdate":"2026-02-14T12:00:00Z","fmspc":"00606A000000",)"
                               R"("pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":20,)"
                               R"("tcbLevels":[{"tcb":{"sgxtcbcomponents":[{"svn":14,)"));
  EXPECT_THAT(text, HasSubstr(R"({"svn":0}],"pcesvn":13},"tcbDate":"2025-08-13T00:00:00Z",)"
                              R"("tcbStatus":"UpToDate"},)"));
}

TEST(FormatTcbInfo, Version2HasNoIdAndNamedComponents) {
  auto content = plan_world().value().tcb_info.content;
  content.version = 2;
  const std::string text = format_tcb_info(content);
  EXPECT_THAT(text, StartsWith(R"({"version":2,"issueDate":)"));
  EXPECT_THAT(text, HasSubstr(R"("sgxtcbcomp01svn":14,)"));
  EXPECT_THAT(text, HasSubstr(R"("sgxtcbcomp16svn":0,"pcesvn":13})"));
}

TEST(FormatTcbInfo, ReadsBackAsWritten) {
  for (const int version : {2, 3}) {
    auto content = plan_world().value().tcb_info.content;
    content.version = version;
    const auto read = tcb::parse_tcb_info(format_tcb_info(content));
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_EQ(read->version, version);
    EXPECT_EQ(read->fmspc, content.fmspc);
    EXPECT_EQ(read->pce_id, content.pce_id);
    EXPECT_EQ(read->issue_date, content.issue_date);
    EXPECT_EQ(read->next_update, content.next_update);
    EXPECT_EQ(read->evaluation_number, content.evaluation_number);
    ASSERT_EQ(read->levels.size(), content.levels.size());
    EXPECT_EQ(read->levels[0].sgx_components, content.levels[0].sgx_components);
    EXPECT_EQ(read->levels[0].pce_svn, content.levels[0].pce_svn);
    EXPECT_EQ(read->levels[1].status, TcbStatus::out_of_date);
    EXPECT_EQ(read->levels[1].date, content.levels[1].date);
    EXPECT_EQ(read->levels[1].advisories, content.levels[1].advisories);
  }
}

TEST(FormatTcbInfo, WritesTdxInIntelsOrder) {
  WorldBasics basics;
  basics.td = default_td();
  const std::string text = format_tcb_info(plan_world(basics).value().tcb_info.content);
  const std::string zeros(96, '0');
  const std::string module = R"("mrsigner":")" + zeros +
                             R"(","attributes":"0000000000000000",)"
                             R"("attributesMask":"FFFFFFFFFFFFFFFF")";
  EXPECT_THAT(text, StartsWith(R"({"id":"TDX","version":3,)"));
  EXPECT_THAT(text, HasSubstr(R"("tcbEvaluationDataNumber":20,"tdxModule":{)" + module +
                              R"(},"tdxModuleIdentities":[{"id":"TDX_03",)" + module +
                              R"(,"tcbLevels":[{"tcb":{"isvsvn":5},)"));
  EXPECT_THAT(text, HasSubstr(R"("advisoryIDs":["INTEL-SA-01036"]}]}],"tcbLevels":[{"tcb":)"
                              R"({"sgxtcbcomponents":[{"svn":14,)"));
  EXPECT_THAT(text, HasSubstr(R"("pcesvn":13,"tdxtcbcomponents":[{"svn":5,)"));
}

TEST(FormatTcbInfo, ReadsTdxBackAsWritten) {
  WorldBasics basics;
  basics.td = default_td();
  auto content = plan_world(basics).value().tcb_info.content;
  content.tdx_module->mr_signer.bytes[0] = 0xAB;
  content.tdx_module_identities[0].module.attributes.bytes[7] = 1;
  const auto read = tcb::parse_tcb_info(format_tcb_info(content));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->id, tcb::TcbInfo::Id::tdx);
  EXPECT_EQ(read->tdx_module->mr_signer, content.tdx_module->mr_signer);
  EXPECT_EQ(read->tdx_module->attributes_mask, content.tdx_module->attributes_mask);
  ASSERT_EQ(read->tdx_module_identities.size(), 1U);
  const auto& identity = read->tdx_module_identities[0];
  EXPECT_EQ(identity.id, "TDX_03");
  EXPECT_EQ(identity.module.attributes.bytes[7], 1);
  ASSERT_EQ(identity.levels.size(), 2U);
  EXPECT_EQ(identity.levels[1].isv_svn, 3);
  EXPECT_EQ(identity.levels[1].status, TcbStatus::out_of_date);
  EXPECT_EQ(identity.levels[1].advisories, std::vector<std::string>{"INTEL-SA-01036"});
  ASSERT_EQ(read->levels.size(), 2U);
  EXPECT_EQ(read->levels[0].tdx_components, content.levels[0].tdx_components);
  content.tdx_module_identities.clear();
  EXPECT_TRUE(tcb::parse_tcb_info(format_tcb_info(content)).has_value());
}

TEST(FormatTcbInfo, CanSayWhatNoParserAccepts) {
  auto content = plan_world().value().tcb_info.content;
  content.levels[0].status = TcbStatus::not_supported;
  EXPECT_FALSE(tcb::parse_tcb_info(format_tcb_info(content)).has_value());
  content.levels.clear();
  EXPECT_FALSE(tcb::parse_tcb_info(format_tcb_info(content)).has_value());
}

TEST(FormatTcbInfo, GivesIntelsOwnBytes) {
  const auto dir = ratls::testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  int compared = 0;
  for (const Collateral& collateral : genuine_collateral(*dir)) {
    const auto content = tcb::parse_tcb_info(collateral.tcb_info);
    if (!content || content->version != 3) continue;
    const std::string fmspc = collateral.tcb_info.substr(collateral.tcb_info.find("fmspc"), 20);
    const bool rewritten = fmspc.find_first_of("abcdef", 8) != std::string::npos;
    const bool other_names = collateral.tcb_info.find("TXT SINIT") == std::string::npos;
    if (rewritten || other_names) continue;  // changed in case by those who passed it on
    EXPECT_EQ(format_tcb_info(*content), collateral.tcb_info);
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

TEST(FormatQeIdentity, ReadsBackAsWritten) {
  auto content = plan_world().value().qe_identity.content;
  content.misc_select = 0x01020304;
  const auto read = tcb::parse_qe_identity(format_qe_identity(content));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->id, content.id);
  EXPECT_EQ(read->misc_select, content.misc_select);
  EXPECT_EQ(read->misc_select_mask, content.misc_select_mask);
  EXPECT_EQ(read->attributes, content.attributes);
  EXPECT_EQ(read->attributes_mask, content.attributes_mask);
  EXPECT_EQ(read->mr_signer, content.mr_signer);
  EXPECT_EQ(read->isv_prod_id, content.isv_prod_id);
  ASSERT_EQ(read->levels.size(), content.levels.size());
  EXPECT_EQ(read->levels[0].isv_svn, content.levels[0].isv_svn);
  EXPECT_EQ(read->levels[1].advisories, content.levels[1].advisories);
}

TEST(FormatQeIdentity, GivesIntelsOwnBytes) {
  const auto dir = ratls::testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  int compared = 0;
  for (const Collateral& collateral : genuine_collateral(*dir)) {
    const auto content = tcb::parse_qe_identity(collateral.qe_identity);
    if (!content || collateral.qe_identity.find("ffff") != std::string::npos) continue;
    EXPECT_EQ(format_qe_identity(*content), collateral.qe_identity);
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

TEST(SignDocument, CoversExactlyTheText) {
  const WorldSpec spec = plan_world().value();
  const auto document = sign(spec.tcb_info).value();
  ASSERT_EQ(document.signature.size(), 64U);
  const auto key = public_key(spec.tcb_signing.key);
  EXPECT_TRUE(key.verify(as_bytes(document.text), document.signature));
  EXPECT_FALSE(key.verify(as_bytes(document.text + " "), document.signature));
  EXPECT_FALSE(public_key(spec.stranger).verify(as_bytes(document.text), document.signature));
}

TEST(SignDocument, TakesATextOfOnesOwn) {
  WorldSpec spec = plan_world().value();
  spec.qe_identity.text = "no JSON";
  const auto document = sign(spec.qe_identity).value();
  EXPECT_EQ(document.text, "no JSON");
  EXPECT_TRUE(public_key(spec.tcb_signing.key).verify(as_bytes("no JSON"), document.signature));
}

}  // namespace
}  // namespace ratls::sim
