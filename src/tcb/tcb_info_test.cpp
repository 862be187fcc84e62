// SPDX-License-Identifier: Apache-2.0
#include "tcb/tcb_info.h"

#include <gtest/gtest.h>

#include "base/reader.h"
#include "support/vectors.h"

namespace ratls::tcb {
namespace {

using Json = nlohmann::ordered_json;

Json make_level(int version, int svn, int pce_svn, const std::string& status) {
  Json tcb;
  for (int i = 1; i <= 16; ++i) {
    if (version == 2) {
      tcb[std::string("sgxtcbcomp") + (i < 10 ? "0" : "") + std::to_string(i) + "svn"] = svn;
    } else {
      tcb["sgxtcbcomponents"].push_back(
          {{"svn", svn}, {"category", "BIOS"}, {"type", "Early Microcode Update"}});
    }
  }
  tcb["pcesvn"] = pce_svn;
  return {{"tcb", tcb},
          {"tcbDate", "2023-08-09T00:00:00Z"},
          {"tcbStatus", status},
          {"advisoryIDs", {"INTEL-SA-00615"}}};
}

Json make_info(int version) {
  Json info;
  if (version == 3) info["id"] = "SGX";
  info["version"] = version;
  info["issueDate"] = "2024-01-02T03:04:05Z";
  info["nextUpdate"] = "2024-02-01T03:04:05Z";
  info["fmspc"] = "00606A000000";
  info["pceId"] = "0100";
  info["tcbType"] = 0;
  info["tcbEvaluationDataNumber"] = 17;
  info["tcbLevels"] = {make_level(version, 4, 13, "UpToDate"),
                       make_level(version, 4, 11, "OutOfDate"),
                       make_level(version, 2, 12, "Revoked")};
  return info;
}

Code parse_code(const std::string& text) {
  auto info = parse_tcb_info(text);
  return info ? Code::ok : info.error().code();
}
Code parse_code(const Json& json) { return parse_code(json.dump()); }

// A good TCB info of version 3 with one change, by JSON pointer.
Json with(const std::string& pointer, const Json& value) {
  Json info = make_info(3);
  info[Json::json_pointer(pointer)] = value;
  return info;
}
Json without(const std::string& parent, const std::string& key) {
  Json info = make_info(3);
  info[Json::json_pointer(parent)].erase(key);
  return info;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ParseTcbInfo, ReadsBothVersions) {
  for (int version : {2, 3}) {
    auto info = parse_tcb_info(make_info(version).dump());
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(info->version, version);
    EXPECT_EQ(info->id, TcbInfo::Id::sgx);
    EXPECT_EQ(format_time(info->issue_date), "2024-01-02T03:04:05Z");
    EXPECT_EQ(format_time(info->next_update), "2024-02-01T03:04:05Z");
    EXPECT_EQ(to_hex(info->fmspc), "00606a000000");
    EXPECT_EQ(to_hex(info->pce_id), "0100");
    EXPECT_EQ(info->evaluation_number, 17u);
    ASSERT_EQ(info->levels.size(), 3u);
    EXPECT_EQ(info->levels[0].sgx_components[0], 4);
    EXPECT_EQ(info->levels[0].sgx_components[15], 4);
    EXPECT_EQ(info->levels[0].pce_svn, 13);
    EXPECT_EQ(info->levels[0].status, TcbStatus::up_to_date);
    EXPECT_EQ(format_time(info->levels[0].date), "2023-08-09T00:00:00Z");
    EXPECT_EQ(info->levels[0].advisories, std::vector<std::string>{"INTEL-SA-00615"});
    EXPECT_EQ(info->levels[2].status, TcbStatus::revoked);
  }
}

TEST(ParseTcbInfo, KeepsTheOrderOfComponents) {
  for (int version : {2, 3}) {
    Json json = make_info(version);
    for (int i = 1; i <= 16; ++i) {
      Json& tcb = json["tcbLevels"][0]["tcb"];
      if (version == 2) {
        tcb[std::string("sgxtcbcomp") + (i < 10 ? "0" : "") + std::to_string(i) + "svn"] = 100 + i;
      } else {
        tcb["sgxtcbcomponents"][i - 1]["svn"] = 100 + i;
      }
    }
    auto info = parse_tcb_info(json.dump());
    ASSERT_TRUE(info) << info.error().message();
    for (int i = 0; i < 16; ++i) EXPECT_EQ(info->levels[0].sgx_components[i], 101 + i);
  }
}

Json components(int svn) {
  Json list = Json::array();
  for (int i = 0; i < 16; ++i) list.push_back({{"svn", svn}});
  return list;
}

Json make_module(int signer) {
  const std::string byte = signer == 0 ? "00" : "0A";
  std::string mr_signer;
  for (int i = 0; i < 48; ++i) mr_signer += byte;
  return {{"mrsigner", mr_signer},
          {"attributes", "0000000000000000"},
          {"attributesMask", "FFFFFFFFFFFFFFFF"}};
}

Json make_module_identity(const std::string& id) {
  Json identity = make_module(1);
  identity["id"] = id;
  for (const auto& [svn, status] : {std::pair{5, "UpToDate"}, {3, "OutOfDate"}, {1, "Revoked"}}) {
    identity["tcbLevels"].push_back({{"tcb", {{"isvsvn", svn}}},
                                     {"tcbDate", "2024-03-13T00:00:00Z"},
                                     {"tcbStatus", status},
                                     {"advisoryIDs", {"INTEL-SA-01036"}}});
  }
  return identity;
}

Json make_tdx_info() {
  Json info = make_info(3);
  info["id"] = "TDX";
  info["tdxModule"] = make_module(0);
  info["tdxModuleIdentities"] = {make_module_identity("TDX_01"), make_module_identity("tdx_0a")};
  for (Json& level : info["tcbLevels"]) level["tcb"]["tdxtcbcomponents"] = components(2);
  return info;
}

// The code of what is wrong with the part about TDX.
Code tdx_code(const Json& json) {
  const auto info = parse_tcb_info(json.dump());
  if (!info) return info.error().code();
  return info->tdx_defect ? info->tdx_defect->code() : Code::ok;
}

Json tdx_with(const std::string& pointer, const Json& value) {
  Json info = make_tdx_info();
  info[Json::json_pointer(pointer)] = value;
  return info;
}
Json tdx_without(const std::string& parent, const std::string& key) {
  Json info = make_tdx_info();
  info[Json::json_pointer(parent)].erase(key);
  return info;
}

TEST(ParseTcbInfo, ReadsWhatIsOfTdx) {
  const auto info = parse_tcb_info(make_tdx_info().dump());
  ASSERT_TRUE(info) << info.error().message();
  ASSERT_FALSE(info->tdx_defect);
  EXPECT_EQ(info->id, TcbInfo::Id::tdx);
  ASSERT_TRUE(info->tdx_module);
  EXPECT_EQ(info->tdx_module->mr_signer.bytes[47], 0);
  EXPECT_EQ(info->tdx_module->attributes_mask.bytes[7], 0xFF);
  EXPECT_EQ(info->levels[0].tdx_components[15], 2);
  ASSERT_EQ(info->tdx_module_identities.size(), 2u);
  const TdxModuleIdentity* identity = find_module(*info, 10);
  ASSERT_EQ(identity, &info->tdx_module_identities[1]);
  EXPECT_EQ(identity->module.mr_signer.bytes[0], 0x0A);
  ASSERT_EQ(identity->levels.size(), 3u);
  EXPECT_EQ(identity->levels[1].status, TcbStatus::out_of_date);
  EXPECT_EQ(identity->levels[1].advisories, std::vector<std::string>{"INTEL-SA-01036"});
  EXPECT_EQ(find_module(*info, 2), nullptr);
}

TEST(ParseTcbInfo, MayLackModuleIdentities) {
  EXPECT_EQ(tdx_code(tdx_without("", "tdxModuleIdentities")), Code::ok);
}

TEST(ParseTcbInfo, FindsDefectsInThePartOfTdx) {
  for (const auto& [parent, key] : std::vector<std::pair<std::string, std::string>>{
           {"", "tdxModule"},
           {"/tdxModule", "mrsigner"},
           {"/tdxModule", "attributes"},
           {"/tdxModule", "attributesMask"},
           {"/tdxModuleIdentities/1", "id"},
           {"/tdxModuleIdentities/1", "mrsigner"},
           {"/tdxModuleIdentities/1", "tcbLevels"},
           {"/tcbLevels/1/tcb", "tdxtcbcomponents"},
           {"/tdxModuleIdentities/0/tcbLevels/0/tcb", "isvsvn"}}) {
    EXPECT_EQ(tdx_code(tdx_without(parent, key)), Code::tcb_info_malformed) << parent << " " << key;
  }
  for (const auto& [pointer, value] : std::vector<std::pair<std::string, Json>>{
           {"/tdxModule", Json::array()},
           {"/tdxModule/mrsigner", "00"},
           {"/tdxModuleIdentities", Json::object()},
           {"/tdxModuleIdentities", Json::array()},
           {"/tdxModuleIdentities/1/id", "TDX_01"},
           {"/tdxModuleIdentities/1/id", "tdx_01"},
           {"/tdxModuleIdentities/1/id", 10},
           {"/tdxModuleIdentities/1/tcbLevels", Json::array()},
           {"/tdxModuleIdentities/1/tcbLevels/1/tcb/isvsvn", 5},
           {"/tdxModuleIdentities/1/tcbLevels/1/tcbStatus", "ConfigurationNeeded"},
           {"/tcbLevels/0/tcb/tdxtcbcomponents/3/svn", 256},
           {"/tcbLevels/0/tcb/tdxtcbcomponents/3/type", 1},
           {"/tcbLevels/0/tcb/sgxtcbcomponents/3/category", nullptr}}) {
    EXPECT_EQ(tdx_code(tdx_with(pointer, value)), Code::tcb_info_malformed)
        << pointer << " " << value.dump();
  }
  EXPECT_EQ(tdx_code(with("/tdxModule", make_module(0))), Code::tcb_info_malformed);
  EXPECT_EQ(tdx_code(with("/tdxModuleIdentities", Json::array())), Code::tcb_info_malformed);
}

TEST(ParseTcbInfo, LeavesAnIdentityOfNoModuleAside) {
  for (const char* id : {"TDX_1", "TDX_001", "TDX_", "TDX_0G", "SGX_0A", ""}) {
    const auto info = parse_tcb_info(tdx_with("/tdxModuleIdentities/1/id", id).dump());
    ASSERT_TRUE(info && !info->tdx_defect) << id;
    EXPECT_EQ(find_module(*info, 10), nullptr) << id;
    EXPECT_NE(find_module(*info, 1), nullptr) << id;
  }
}

TEST(ParseTcbInfo, TellsTdxLevelsApartByTheirTdxComponentsToo) {
  Json json = make_tdx_info();
  json["tcbLevels"][1] = json["tcbLevels"][0];
  json["tcbLevels"][1]["tcb"]["tdxtcbcomponents"] = components(1);
  EXPECT_EQ(tdx_code(json), Code::ok);
  json["tcbLevels"][1] = json["tcbLevels"][0];
  EXPECT_EQ(tdx_code(json), Code::tcb_info_malformed);
}

TEST(ParseTcbInfo, TakesUnknownMembersAndNoAdvisories) {
  EXPECT_EQ(parse_code(with("/unknown", {{"mrsigner", "00"}})), Code::ok);
  EXPECT_EQ(parse_code(without("/tcbLevels/0", "advisoryIDs")), Code::ok);
}

TEST(ParseTcbInfo, RejectsTextThatIsNotOneObject) {
  const std::string good = make_info(3).dump();
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"), good + "x",
        good + good, good.substr(0, good.size() - 1), good + std::string(1, '\0'),
        good + std::string("\0x", 2), "\xEF\xBB\xBF" + good, "// c\n" + good,
        replaced(good, "SGX", "S\xFFX")}) {
    EXPECT_EQ(parse_code(text), Code::tcb_info_malformed) << text.substr(0, 20);
  }
}

TEST(ParseTcbInfo, RejectsDuplicateKeysEverywhere) {
  const std::string good = make_info(3).dump();
  ASSERT_EQ(parse_code(good), Code::ok);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"fmspc\":", "\"fmspc\":\"00906ED50000\",\"fmspc\":"},
           {"\"fmspc\":", "\"fmspc\":\"00606A000000\",\"fmspc\":"},
           {"\"pcesvn\":13", "\"pcesvn\":13,\"pcesvn\":13"},
           {"\"svn\":4", "\"svn\":4,\"svn\":4"},
           {"\"category\":", "\"type\":1,\"category\":"},
           {"\"version\":", "\"vers\\u0069on\":3,\"version\":"},
           {"\"version\":", "\"unknown\":{\"a\":1,\"a\":2},\"version\":"}}) {
    EXPECT_EQ(parse_code(replaced(good, from, to)), Code::tcb_info_malformed) << to;
  }
}

TEST(ParseTcbInfo, RejectsEachMissingMember) {
  for (const char* key : {"id", "version", "issueDate", "nextUpdate", "fmspc", "pceId", "tcbType",
                          "tcbEvaluationDataNumber", "tcbLevels"}) {
    EXPECT_EQ(parse_code(without("", key)), Code::tcb_info_malformed) << key;
  }
  for (const char* key : {"tcb", "tcbDate", "tcbStatus"}) {
    EXPECT_EQ(parse_code(without("/tcbLevels/1", key)), Code::tcb_info_malformed) << key;
  }
  for (const char* key : {"pcesvn", "sgxtcbcomponents"}) {
    EXPECT_EQ(parse_code(without("/tcbLevels/1/tcb", key)), Code::tcb_info_malformed) << key;
  }
  EXPECT_EQ(parse_code(without("/tcbLevels/1/tcb/sgxtcbcomponents/3", "svn")),
            Code::tcb_info_malformed);
  Json version2 = make_info(2);
  version2["tcbLevels"][0]["tcb"].erase("sgxtcbcomp16svn");
  EXPECT_EQ(parse_code(version2), Code::tcb_info_malformed);
}

TEST(ParseTcbInfo, RejectsValuesOutOfRange) {
  for (const auto& [pointer, value] : std::vector<std::pair<std::string, Json>>{
           {"/version", 1},
           {"/version", 4},
           {"/version", "3"},
           {"/version", 3.0},
           {"/id", "QE"},
           {"/id", "sgx"},
           {"/id", nullptr},
           {"/fmspc", "00606A0000"},
           {"/fmspc", "00606A00000000"},
           {"/fmspc", "00606A00000G"},
           {"/fmspc", 606},
           {"/pceId", "00"},
           {"/pceId", "000000"},
           {"/tcbType", 1},
           {"/tcbType", "0"},
           {"/tcbType", -1},
           {"/tcbType", false},
           {"/tcbEvaluationDataNumber", -1},
           {"/tcbEvaluationDataNumber", 4294967296},
           {"/tcbEvaluationDataNumber", 1.5},
           {"/tcbLevels", Json::array()},
           {"/tcbLevels", Json::object()},
           {"/tcbLevels/0", 1},
           {"/tcbLevels/0/tcb", Json::array()},
           {"/tcbLevels/0/tcb/pcesvn", 65536},
           {"/tcbLevels/0/tcb/pcesvn", -1},
           {"/tcbLevels/0/tcb/pcesvn", "13"},
           {"/tcbLevels/0/tcb/sgxtcbcomponents/0/svn", 256},
           {"/tcbLevels/0/tcb/sgxtcbcomponents/0/svn", -1},
           {"/tcbLevels/0/tcb/sgxtcbcomponents/0", 4},
           {"/tcbLevels/0/tcb/sgxtcbcomponents", Json::array()},
           {"/tcbLevels/0/tcb/sgxtcbcomponents/16", {{"svn", 1}}},
           {"/tcbLevels/0/tcbStatus", "NotSupported"},
           {"/tcbLevels/0/tcbStatus", "TDRelaunchAdvised"},
           {"/tcbLevels/0/tcbStatus", "TDRelaunchAdvisedConfigurationNeeded"},
           {"/tcbLevels/0/tcbStatus", "uptodate"},
           {"/tcbLevels/0/tcbStatus", ""},
           {"/tcbLevels/0/tcbStatus", 0},
           {"/tcbLevels/0/advisoryIDs", "INTEL-SA-00615"},
           {"/tcbLevels/0/advisoryIDs", {1}},
           {"/tcbLevels/0/advisoryIDs", {-1}},
           {"/tcbLevels/0/advisoryIDs", {1.5}},
           {"/tcbLevels/0/advisoryIDs", {true}},
           {"/tcbLevels/0/advisoryIDs", {nullptr}},
           {"/tcbLevels/0/advisoryIDs", {""}},
           {"/tcbLevels/0/advisoryIDs", {"a b"}},
           {"/tcbLevels/0/advisoryIDs", {"a\x7f"}},
           {"/tcbLevels/0/advisoryIDs", {"a\x1b[0m"}},
           {"/tcbLevels/0/advisoryIDs", {std::string(65, 'A')}}}) {
    EXPECT_EQ(parse_code(with(pointer, value)), Code::tcb_info_malformed)
        << pointer << " " << value.dump();
  }
}

TEST(ParseTcbInfo, RejectsOtherDates) {
  for (const char* date :
       {"", "1704164645", "2024-01-02", "2024-01-02T03:04:05", "2024-01-02T03:04:05+00:00",
        "2024-01-02T03:04:05.000Z", "2024-01-02t03:04:05Z", "2024-01-02T03:04:05z",
        "2024-13-02T03:04:05Z", "2024-02-30T03:04:05Z", "2024-01-02 03:04:05Z",
        "1969-01-02T03:04:05Z"}) {
    for (const char* pointer : {"/issueDate", "/nextUpdate", "/tcbLevels/2/tcbDate"}) {
      EXPECT_EQ(parse_code(with(pointer, date)), Code::tcb_info_malformed) << pointer << date;
    }
  }
}

TEST(ParseTcbInfo, RejectsAnIdOfVersion2ThatIsNotSgx) {
  Json json = make_info(2);
  json["id"] = "TDX";
  EXPECT_EQ(parse_code(json), Code::tcb_info_malformed);
}

TEST(ParseTcbInfo, SortsLevelsFromHighToLow) {
  Json swapped = make_info(3);
  std::swap(swapped["tcbLevels"][0], swapped["tcbLevels"][1]);
  const auto sorted = parse_tcb_info(swapped.dump());
  const auto published = parse_tcb_info(make_info(3).dump());
  ASSERT_TRUE(sorted && published);
  for (std::size_t i = 0; i < published->levels.size(); ++i) {
    EXPECT_EQ(sorted->levels[i].sgx_components, published->levels[i].sgx_components);
    EXPECT_EQ(sorted->levels[i].status, published->levels[i].status);
  }
}

TEST(ParseTcbInfo, GivesTheDefectOfTdxBeforeThatOfLevelsItMakesAlike) {
  Json json = make_tdx_info();
  json["tcbLevels"][1] = json["tcbLevels"][0];
  json["tcbLevels"][1]["tcb"]["tdxtcbcomponents"] = components(1);
  json.erase("tdxModule");
  const auto info = parse_tcb_info(json.dump());
  ASSERT_TRUE(info) << info.error().message();
  ASSERT_TRUE(info->tdx_defect);
  EXPECT_EQ(info->tdx_defect->where(), "tdxModule");
}

TEST(ParseTcbInfo, RejectsALevelThatIsThereTwice) {
  Json twice = make_info(3);
  twice["tcbLevels"][1]["tcb"] = twice["tcbLevels"][0]["tcb"];
  EXPECT_EQ(parse_code(twice), Code::tcb_info_malformed);
}

TEST(ParseTcbInfo, RejectsDeepOrLargeText) {
  Json deep = 1;
  for (int i = 0; i < 20; ++i) deep = Json::array({deep});
  EXPECT_EQ(parse_code(with("/unknown", deep)), Code::tcb_info_malformed);
  EXPECT_EQ(parse_code(std::string(200000, '[')), Code::tcb_info_malformed);
  EXPECT_EQ(parse_code(std::string(200000, '[') + std::string(200000, ']')),
            Code::tcb_info_malformed);
  EXPECT_EQ(parse_code(with("/unknown", std::string(300000, 'a'))), Code::tcb_info_malformed);
}

TEST(MatchLevel, TakesTheFirstThatIsReached) {
  auto info = parse_tcb_info(make_info(3).dump());
  ASSERT_TRUE(info);
  Components components;
  components.fill(4);
  EXPECT_EQ(match_level(*info, {components, 14, {}}), &info->levels[0]);
  EXPECT_EQ(match_level(*info, {components, 13, {}}), &info->levels[0]);
  EXPECT_EQ(match_level(*info, {components, 12, {}}), &info->levels[1]);
  EXPECT_EQ(match_level(*info, {components, 10, {}}), nullptr);
  for (std::size_t i = 0; i < components.size(); ++i) {
    Components lower = components;
    lower[i] = 3;
    EXPECT_EQ(match_level(*info, {lower, 13, {}}), &info->levels[2]) << i;
    lower[i] = 1;
    EXPECT_EQ(match_level(*info, {lower, 13, {}}), nullptr) << i;
  }
}

TEST(MatchLevel, CountsTheNumbersOfTheTdxModuleUnlessItHasAnIdentity) {
  const auto info = parse_tcb_info(make_tdx_info().dump());
  ASSERT_TRUE(info);
  Components sgx;
  sgx.fill(4);
  Components tee;
  tee.fill(2);
  EXPECT_EQ(match_level(*info, {sgx, 13, tee}), &info->levels[0]);
  for (std::size_t i = 0; i < tee.size(); ++i) {
    Components lower = tee;
    lower[i] = i == 1 ? 0 : 1;
    // With a module version above 0 the first two numbers are the identity's business.
    EXPECT_EQ(match_level(*info, {sgx, 13, lower}), i == 0 ? &info->levels[0] : nullptr) << i;
    lower[1] = 0;
    EXPECT_EQ(match_level(*info, {sgx, 13, lower}), nullptr) << i;
  }
}

// All collateral of the real cases is genuine; negative cases hold text that was tampered with.
TEST(TcbInfoVectors, GenuineOnesParseAndMatch) {
  const auto dir = testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  std::size_t parsed = 0, matched = 0;
  for (const auto& entry : testing::read_cases(*dir)) {
    const std::string id = entry["id"];
    if (entry["kind"] != "real" && entry["kind"] != "intel-sample") continue;
    const auto folder = *dir / entry["dir"].get<std::string>();
    const auto collateral = nlohmann::json::parse(testing::read_vector(folder / "collateral.json"));
    auto info = parse_tcb_info(collateral["tcb_info"].get<std::string>());
    ASSERT_TRUE(info) << id << ": " << info.error().message();
    ++parsed;

    const auto meta = nlohmann::json::parse(testing::read_vector(folder / "meta.json"));
    const std::string status = testing::text_in(entry["expected"], "platform_tcb_status");
    if (info->id != TcbInfo::Id::sgx || status.empty() || !meta["pck"].contains("tcb_components")) {
      continue;
    }
    const auto* level = match_level(*info, {meta["pck"]["tcb_components"].get<Components>(),
                                            meta["pck"]["pce_svn"].get<std::uint16_t>(),
                                            {}});
    ASSERT_NE(level, nullptr) << id;
    EXPECT_EQ(to_string(level->status), status) << id;
    ++matched;
  }
  EXPECT_GT(parsed, 50u);
  EXPECT_GT(matched, 20u);
}

TEST(TcbInfoVectors, SyntheticFormatFaultsAreRejected) {
  const auto dir = testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  std::size_t rejected = 0;
  for (const auto& entry : testing::read_cases(*dir)) {
    const bool fault = testing::text_in(entry["expected"], "failure_class") == "TCB_INFO_FORMAT";
    if (entry["kind"] != "synthetic" || !entry.contains("collateral")) continue;
    const auto collateral =
        nlohmann::json::parse(testing::read_vector(*dir / entry["collateral"].get<std::string>()));
    const Code code = parse_code(collateral["tcb_info"].get<std::string>());
    EXPECT_EQ(code, fault ? Code::tcb_info_malformed : Code::ok) << entry["id"];
    rejected += fault;
  }
  EXPECT_EQ(rejected, 5u);
}

}  // namespace
}  // namespace ratls::tcb
