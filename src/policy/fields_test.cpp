// SPDX-License-Identifier: Apache-2.0
#include "policy/fields.h"

#include <gmock/gmock.h>

namespace ratls::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Fields fields(std::string_view text) {
  const auto document = toml::parse_toml(text, Code::policy_invalid);
  EXPECT_TRUE(document.has_value()) << document.error().detail();
  const auto flat = fields_of(*document);
  EXPECT_TRUE(flat.has_value()) << flat.error().detail();
  return *flat;
}

TEST(FieldsOf, NamesValuesByTheirPath) {
  EXPECT_THAT(
      fields("a = true\nb.c = -7\n[d.\"e.f\"]\ng = \"x \\\"y\\\"\"\n"),
      ElementsAre(Pair("a", "true"), Pair("b.c", "-7"), Pair("d.\"e.f\".g", R"("x \"y\"")")));
  EXPECT_THAT(fields(""), IsEmpty());
}

TEST(FieldsOf, TellsNamesThatOnlyLookAlike) {
  EXPECT_THAT(fields("\"a.b\" = 1\na.b = 2\n\"\" = 3\n"),
              ElementsAre(Pair("\"\"", "3"), Pair("\"a.b\"", "1"), Pair("a.b", "2")));
}

TEST(FieldsOf, KnowsEntriesByWhatTheyName) {
  EXPECT_THAT(fields("[[s.files]]\nuri = \"b\"\nsha256 = \"1\"\n[[s.files]]\nuri = \"a\"\n"),
              ElementsAre(Pair("s.files \"a\"", "{}"), Pair("s.files \"b\".sha256", "\"1\"")));
  EXPECT_THAT(fields("m = [ { path = \"/p\", uri = \"u\" }, { path = \"/q\", type = \"t\" } ]\n"),
              ElementsAre(Pair("m \"/p\".uri", "\"u\""), Pair("m \"/q\".type", "\"t\"")));
}

TEST(FieldsOf, KeepsEntriesOfTheSameNameApart) {
  EXPECT_THAT(
      fields("[[e]]\nname = \"a\"\nx = 1\n[[e]]\nname = \"a\"\nx = 2\ny = 3\n"),
      ElementsAre(Pair("e \"a\" (2).x", "2"), Pair("e \"a\" (2).y", "3"), Pair("e \"a\".x", "1")));
}

TEST(FieldsOf, KeepsOtherListsWhole) {
  EXPECT_THAT(fields("a = [\"x\", 1, [true], { b = 2, c = 3 }]\nb = []\nc = {}\n"),
              ElementsAre(Pair("a", R"(["x", 1, [true], {b = 2, c = 3}])"), Pair("b", "[]"),
                          Pair("c", "{}")));
  EXPECT_THAT(fields("a = [ { name = \"x\" }, { other = \"y\" } ]\n"),
              ElementsAre(Pair("a", R"([{name = "x"}, {other = "y"}])")));
}

TEST(FieldsOf, RefusesWhatCannotBeCompared) {
  for (const std::string_view text : {"a = 1.5\n", "b = [1.5]\n", "c = { d = 2020-01-01 }\n"}) {
    const auto flat = fields_of(*toml::parse_toml(text, Code::policy_invalid));
    ASSERT_FALSE(flat.has_value()) << text;
    EXPECT_EQ(flat.error().code(), Code::policy_invalid);
  }
}

TEST(FieldsOf, RefusesNamesThatGrowBeyondBounds) {
  std::string text = "[\"" + std::string(100'000, 'a') + "\"]\n";
  for (int i = 0; i < 1000; ++i) text += "k" + std::to_string(i) + " = 1\n";
  const auto flat = fields_of(*toml::parse_toml(text, Code::policy_invalid));
  ASSERT_FALSE(flat.has_value());
  EXPECT_EQ(flat.error().code(), Code::policy_invalid);
}

}  // namespace
}  // namespace ratls::policy
