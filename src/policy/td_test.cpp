// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "ratls/policy.h"

namespace ratls {
namespace {

using testing::HasSubstr;

std::string hex(char digit) { return std::string(96, digit); }

std::string key(const std::string& name, const std::string& value) {
  return name + " = \"" + value + "\"\n";
}

const std::string kStart = "version = 1\n[[td]]\n";
const std::string kTd = key("mr_td", hex('a')) + key("rtmr1", hex('1')) + key("rtmr2", hex('2'));
const std::string kUnmeasured = "[dangerous]\nallow_unmeasured_guest = true\n";

Result<Policy> parse(const std::string& text) { return parse_policy(text, "."); }

Code code_of(const std::string& text) {
  const auto parsed = parse(text);
  return parsed ? Code::ok : parsed.error().code();
}

std::string place_of(const std::string& text) {
  const auto parsed = parse(text);
  return parsed ? "" : parsed.error().where();
}

TEST(ParseTd, ReadsAPolicyWithoutEnclave) {
  const auto policy = parse(kStart + kTd);
  ASSERT_TRUE(policy.has_value()) << policy.error().where();
  EXPECT_TRUE(policy->enclaves.empty());
  ASSERT_EQ(policy->tds.size(), 1u);
  const TdIdentity& td = policy->tds[0];
  EXPECT_EQ(td.name, "");
  EXPECT_EQ(to_hex(*td.mr_td), hex('a'));
  EXPECT_FALSE(td.rtmr[0] || td.rtmr[3] || td.mr_config_id || td.mr_owner || td.mr_owner_config);
  EXPECT_FALSE(td.sept_ve_disable);
}

TEST(ParseTd, ReadsEveryKey) {
  const auto policy =
      parse(kStart + key("name", "database 7") + kTd + key("rtmr0", hex('0')) +
            key("rtmr3", hex('3')) + key("mr_config_id", hex('4')) + key("mr_owner", hex('5')) +
            key("mr_owner_config", hex('F')) + "sept_ve_disable = true\n");
  ASSERT_TRUE(policy.has_value()) << policy.error().where();
  const TdIdentity& td = policy->tds.at(0);
  EXPECT_EQ(td.name, "database 7");
  EXPECT_EQ(to_hex(*td.mr_td), hex('a'));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(to_hex(*td.rtmr[i]), hex(static_cast<char>('0' + i)));
  }
  EXPECT_EQ(to_hex(*td.mr_config_id), hex('4'));
  EXPECT_EQ(to_hex(*td.mr_owner), hex('5'));
  EXPECT_EQ(to_hex(*td.mr_owner_config), hex('f'));
  EXPECT_TRUE(td.sept_ve_disable);
}

TEST(ParseTd, KeepsSeveralInOrderAndBesideEnclaves) {
  const auto policy =
      parse(kStart + kTd + "[[enclave]]\n" + key("mr_enclave", std::string(64, 'e')) + "[[td]]\n" +
            key("mr_td", hex('b')) + key("rtmr1", hex('1')) + key("rtmr2", hex('2')));
  ASSERT_TRUE(policy.has_value()) << policy.error().where();
  EXPECT_EQ(policy->enclaves.size(), 1u);
  ASSERT_EQ(policy->tds.size(), 2u);
  EXPECT_EQ(to_hex(*policy->tds[0].mr_td), hex('a'));
  EXPECT_EQ(to_hex(*policy->tds[1].mr_td), hex('b'));
}

TEST(ParseTd, NeedsFirmwareAndSystem) {
  const std::string mr_td = key("mr_td", hex('a'));
  const std::string rtmr1 = key("rtmr1", hex('1'));
  const std::string rtmr2 = key("rtmr2", hex('2'));
  EXPECT_EQ(code_of(kStart + rtmr1 + rtmr2), Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + mr_td + rtmr2), Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + mr_td + rtmr1), Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + mr_td), Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + key("name", "x")), Code::policy_invalid);
  EXPECT_EQ(code_of(kStart), Code::policy_invalid);
  EXPECT_EQ(place_of(kStart + kTd + "[[td]]\n" + mr_td), "line 6: td");
  EXPECT_EQ(code_of(kStart + mr_td + "[dangerous]\nallow_unmeasured_guest = false\n"),
            Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + mr_td + "[dangerous]\nallow_debug = true\n"), Code::policy_invalid);
}

TEST(ParseTd, MayLeaveOnlyTheSystemOpenWhenThatIsAllowed) {
  const std::string mr_td = key("mr_td", hex('a'));
  const auto policy = parse(kStart + mr_td + kUnmeasured);
  ASSERT_TRUE(policy.has_value()) << policy.error().where();
  EXPECT_TRUE(policy->dangerous_allow_unmeasured_guest);
  EXPECT_FALSE(policy->tds.at(0).rtmr[1] || policy->tds.at(0).rtmr[2]);
  // Wherever the table stands.
  EXPECT_EQ(code_of("version = 1\n" + kUnmeasured + "[[td]]\n" + mr_td), Code::ok);
  EXPECT_EQ(code_of(kStart + key("rtmr1", hex('1')) + key("rtmr2", hex('2')) + kUnmeasured),
            Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + mr_td + key("rtmr2", hex('0')) + kUnmeasured), Code::policy_invalid);
}

TEST(ParseTd, AllowsTheDangerousKeyWithoutTd) {
  const std::string enclave =
      "version = 1\n[[enclave]]\n" + key("mr_enclave", std::string(64, 'e'));
  EXPECT_EQ(code_of(enclave + kUnmeasured), Code::ok);
  EXPECT_EQ(code_of("version = 1\n" + kUnmeasured), Code::policy_empty);
}

TEST(ParseTd, RefusesTemplatesThatWereNotFilledIn) {
  const std::string zero = hex('0');
  EXPECT_EQ(code_of(kStart + key("mr_td", zero) + key("rtmr1", hex('1')) + key("rtmr2", hex('2'))),
            Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + key("mr_td", hex('a')) + key("rtmr1", zero) + key("rtmr2", hex('2'))),
            Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + key("mr_td", hex('a')) + key("rtmr1", hex('1')) + key("rtmr2", zero)),
            Code::policy_invalid);
  EXPECT_EQ(code_of(kStart + kTd + key("rtmr0", zero) + key("rtmr3", zero)), Code::ok);
}

TEST(ParseTd, RefusesWrongHex) {
  for (const char* name : {"mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id", "mr_owner",
                           "mr_owner_config"}) {
    for (const std::string& value : {std::string(), std::string(95, 'a'), std::string(98, 'a'),
                                     std::string(64, 'a'), std::string(96, 'g')}) {
      std::string text = kStart;
      for (const char* needed : {"mr_td", "rtmr1", "rtmr2"}) {
        if (std::string_view(needed) != name) text += key(needed, hex('a'));
      }
      EXPECT_EQ(code_of(text + key(name, value)), Code::policy_invalid) << name << " " << value;
      EXPECT_THAT(place_of(text + key(name, value)), HasSubstr(std::string("td.") + name));
    }
  }
}

TEST(ParseTd, RefusesWrongTypesAndUnknownKeys) {
  EXPECT_EQ(code_of("version = 1\ntd = 1\n"), Code::policy_invalid);
  EXPECT_EQ(code_of("version = 1\ntd = [1]\n"), Code::policy_invalid);
  EXPECT_EQ(code_of("version = 1\n[td]\n" + kTd), Code::policy_invalid);
  EXPECT_EQ(code_of("version = 1\ntd = []\n"), Code::policy_empty);
  for (const char* line : {"name = 1", "sept_ve_disable = 1", "sept_ve_disable = \"true\"",
                           "rtmr0 = [\"\"]", "rtmr4 = \"\"", "mrtd = \"\"", "mr_enclave = \"\""}) {
    EXPECT_EQ(code_of(kStart + kTd + line + "\n"), Code::policy_invalid) << line;
  }
  EXPECT_EQ(place_of(kStart + kTd + "rtmr4 = \"\"\n"), "line 6: td.rtmr4");
}

// Policies made in code, which no parser saw.
class CheckTd : public testing::Test {
 protected:
  CheckTd() {
    TdIdentity& td = policy_.tds.emplace_back();
    td.mr_td.emplace().bytes[47] = 1;
    td.rtmr[1].emplace().bytes[0] = 1;
    td.rtmr[2].emplace().bytes[0] = 1;
  }
  Code code() const {
    const auto checked = check_policy(policy_);
    return checked ? Code::ok : checked.error().code();
  }
  Policy policy_;
};

TEST_F(CheckTd, AcceptsFirmwareWithSystem) { EXPECT_EQ(code(), Code::ok); }

TEST_F(CheckTd, NeedsFirmware) {
  policy_.dangerous_allow_unmeasured_guest = true;
  policy_.tds[0].mr_td.reset();
  EXPECT_EQ(code(), Code::policy_invalid);
  policy_.tds[0].mr_td.emplace();
  EXPECT_EQ(code(), Code::policy_invalid);
}

TEST_F(CheckTd, NeedsTheSystemUnlessThatIsAllowed) {
  for (const std::size_t i : {1UL, 2UL}) {
    const auto measured = policy_.tds[0].rtmr[i];
    policy_.tds[0].rtmr[i].reset();
    EXPECT_EQ(code(), Code::policy_invalid);
    policy_.dangerous_allow_unmeasured_guest = true;
    EXPECT_EQ(code(), Code::ok);
    policy_.tds[0].rtmr[i].emplace();
    EXPECT_EQ(code(), Code::policy_invalid);
    policy_.tds[0].rtmr[i] = measured;
    policy_.dangerous_allow_unmeasured_guest = false;
  }
}

TEST_F(CheckTd, ChecksEveryEntry) {
  policy_.tds.emplace_back();
  EXPECT_EQ(code(), Code::policy_invalid);
}

}  // namespace
}  // namespace ratls
