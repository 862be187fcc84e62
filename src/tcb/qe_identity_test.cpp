// SPDX-License-Identifier: Apache-2.0
#include "tcb/qe_identity.h"

#include <gtest/gtest.h>

#include "support/vectors.h"

namespace ratls::tcb {
namespace {

using Json = nlohmann::ordered_json;

Json make_level(int isv_svn, const std::string& status) {
  return {{"tcb", {{"isvsvn", isv_svn}}},
          {"tcbDate", "2023-08-09T00:00:00Z"},
          {"tcbStatus", status},
          {"advisoryIDs", {"INTEL-SA-00477"}}};
}

Json make_identity() {
  return {{"id", "QE"},
          {"version", 2},
          {"issueDate", "2024-01-02T03:04:05Z"},
          {"nextUpdate", "2024-02-01T03:04:05Z"},
          {"tcbEvaluationDataNumber", 17},
          {"miscselect", "01020384"},
          {"miscselectMask", "FFFFFFFE"},
          {"attributes", "11000000000000000000000000000000"},
          {"attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"},
          {"mrsigner", "8C4F5775D796503E96137F77C68A829A0056AC8DED70140B081B094490C57BFF"},
          {"isvprodid", 1},
          {"tcbLevels",
           {make_level(8, "UpToDate"), make_level(6, "OutOfDate"), make_level(1, "Revoked")}}};
}

Code parse_code(const std::string& text) {
  auto identity = parse_qe_identity(text);
  return identity ? Code::ok : identity.error().code();
}
Code parse_code(const Json& json) { return parse_code(json.dump()); }

Json with(const std::string& pointer, const Json& value) {
  Json identity = make_identity();
  identity[Json::json_pointer(pointer)] = value;
  return identity;
}
Json without(const std::string& parent, const std::string& key) {
  Json identity = make_identity();
  identity[Json::json_pointer(parent)].erase(key);
  return identity;
}

TEST(ParseQeIdentity, ReadsEveryField) {
  auto identity = parse_qe_identity(make_identity().dump());
  ASSERT_TRUE(identity) << identity.error().message();
  EXPECT_EQ(identity->id, QeIdentity::Id::qe);
  EXPECT_EQ(identity->version, 2);
  EXPECT_EQ(format_time(identity->issue_date), "2024-01-02T03:04:05Z");
  EXPECT_EQ(format_time(identity->next_update), "2024-02-01T03:04:05Z");
  EXPECT_EQ(identity->evaluation_number, 17u);
  EXPECT_EQ(to_hex(identity->attributes), "11000000000000000000000000000000");
  EXPECT_EQ(to_hex(identity->attributes_mask), "fbffffffffffffff0000000000000000");
  EXPECT_EQ(identity->mr_signer.bytes[0], 0x8C);
  EXPECT_EQ(identity->isv_prod_id, 1);
  ASSERT_EQ(identity->levels.size(), 3u);
  EXPECT_EQ(identity->levels[0].isv_svn, 8);
  EXPECT_EQ(identity->levels[0].status, TcbStatus::up_to_date);
  EXPECT_EQ(identity->levels[0].advisories, std::vector<std::string>{"INTEL-SA-00477"});
  EXPECT_EQ(identity->levels[1].status, TcbStatus::out_of_date);
  EXPECT_EQ(identity->levels[2].status, TcbStatus::revoked);
  EXPECT_EQ(format_time(identity->levels[2].date), "2023-08-09T00:00:00Z");
}

TEST(ParseQeIdentity, ReadsMiscSelectAsTheBytesOfAReport) {
  auto identity = parse_qe_identity(make_identity().dump());
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->misc_select, 0x84030201u);
  EXPECT_EQ(identity->misc_select_mask, 0xFEFFFFFFu);
}

TEST(ParseQeIdentity, KnowsThreeIds) {
  EXPECT_EQ(parse_qe_identity(with("/id", "TD_QE").dump())->id, QeIdentity::Id::td_qe);
  EXPECT_EQ(parse_qe_identity(with("/id", "QVE").dump())->id, QeIdentity::Id::qve);
}

TEST(ParseQeIdentity, RejectsEachMissingMember) {
  const Json good = make_identity();
  for (const auto& [key, value] : good.items()) {
    EXPECT_EQ(parse_code(without("", key)), Code::qe_identity_malformed) << key;
  }
  for (const char* key : {"tcb", "tcbDate", "tcbStatus"}) {
    EXPECT_EQ(parse_code(without("/tcbLevels/1", key)), Code::qe_identity_malformed) << key;
  }
  EXPECT_EQ(parse_code(without("/tcbLevels/1/tcb", "isvsvn")), Code::qe_identity_malformed);
}

TEST(ParseQeIdentity, RejectsValuesOutOfRange) {
  for (const auto& [pointer, value] : std::vector<std::pair<std::string, Json>>{
           {"/version", 1},
           {"/version", 3},
           {"/version", "2"},
           {"/id", "SGX"},
           {"/id", "qe"},
           {"/id", 1},
           {"/issueDate", "2024-01-02"},
           {"/nextUpdate", 5},
           {"/tcbEvaluationDataNumber", -1},
           {"/tcbEvaluationDataNumber", 4294967296},
           {"/miscselect", "000000"},
           {"/miscselect", "0000000000"},
           {"/miscselect", 0},
           {"/miscselectMask", "GFFFFFFF"},
           {"/attributes", "11"},
           {"/attributesMask", ""},
           {"/mrsigner", "8C4F"},
           {"/isvprodid", 65536},
           {"/isvprodid", -1},
           {"/isvprodid", "1"},
           {"/tcbLevels", Json::array()},
           {"/tcbLevels", "x"},
           {"/tcbLevels/0", "x"},
           {"/tcbLevels/0/tcb", 8},
           {"/tcbLevels/0/tcb/isvsvn", 65536},
           {"/tcbLevels/0/tcb/isvsvn", -1},
           {"/tcbLevels/0/tcbDate", "2024"},
           {"/tcbLevels/0/tcbStatus", "NotSupported"},
           {"/tcbLevels/0/tcbStatus", "Unknown"},
           {"/tcbLevels/0/tcbStatus", "SWHardeningNeeded"},
           {"/tcbLevels/0/tcbStatus", "ConfigurationNeeded"},
           {"/tcbLevels/0/tcbStatus", "OutOfDateConfigurationNeeded"},
           {"/tcbLevels/0/advisoryIDs", 1}}) {
    EXPECT_EQ(parse_code(with(pointer, value)), Code::qe_identity_malformed)
        << pointer << " " << value.dump();
  }
}

TEST(ParseQeIdentity, RejectsDuplicateKeys) {
  std::string text = make_identity().dump();
  text.insert(1, "\"isvprodid\":1,");
  EXPECT_EQ(parse_code(text), Code::qe_identity_malformed);
  EXPECT_EQ(parse_qe_identity(text).error().where(), "isvprodid");
}

TEST(ParseQeIdentity, SortsLevelsFromHighToLow) {
  Json swapped = make_identity();
  std::swap(swapped["tcbLevels"][0], swapped["tcbLevels"][1]);
  const auto sorted = parse_qe_identity(swapped.dump());
  ASSERT_TRUE(sorted);
  EXPECT_GT(sorted->levels[0].isv_svn, sorted->levels[1].isv_svn);
}

TEST(ParseQeIdentity, RejectsALevelThatIsThereTwice) {
  EXPECT_EQ(parse_code(with("/tcbLevels/1/tcb/isvsvn", 8)), Code::qe_identity_malformed);
}

TEST(ParseQeIdentity, RejectsTextThatIsNotOneObject) {
  for (const char* text : {"", "{", "null", "[]", "{}", "{}{}"}) {
    EXPECT_EQ(parse_code(std::string(text)), Code::qe_identity_malformed) << text;
  }
}

TEST(MatchQeLevel, TakesTheFirstThatIsReached) {
  auto identity = parse_qe_identity(make_identity().dump());
  ASSERT_TRUE(identity);
  EXPECT_EQ(match_level(identity->levels, 9), &identity->levels[0]);
  EXPECT_EQ(match_level(identity->levels, 8), &identity->levels[0]);
  EXPECT_EQ(match_level(identity->levels, 7), &identity->levels[1]);
  EXPECT_EQ(match_level(identity->levels, 1), &identity->levels[2]);
  EXPECT_EQ(match_level(identity->levels, 0), nullptr);
}

TEST(QeIdentityVectors, GenuineOnesParse) {
  const auto dir = testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  std::size_t parsed = 0;
  for (const auto& entry : testing::read_cases(*dir)) {
    const auto kind = entry["kind"];
    if (kind != "real" && kind != "intel-sample" && kind != "synthetic") continue;
    const auto collateral =
        nlohmann::json::parse(testing::read_vector(*dir / entry["collateral"].get<std::string>()));
    auto identity = parse_qe_identity(collateral["qe_identity"].get<std::string>());
    ASSERT_TRUE(identity) << entry["id"] << ": " << identity.error().message();
    ++parsed;
  }
  EXPECT_GT(parsed, 100u);
}

}  // namespace
}  // namespace ratls::tcb
