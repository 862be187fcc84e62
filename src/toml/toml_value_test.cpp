// SPDX-License-Identifier: Apache-2.0
#include "toml/toml_value.h"

#include <gmock/gmock.h>

#include <initializer_list>

namespace ratls::toml {
namespace {

std::string repeat(std::string_view part, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += part;
  return out;
}

Result<TomlValue> parsed_toml(std::string_view text) {
  return parse_toml(text, Code::policy_invalid);
}

void expect_refused(std::string_view text) {
  const auto parsed = parsed_toml(text);
  ASSERT_FALSE(parsed.has_value()) << text.substr(0, 100);
  EXPECT_EQ(parsed.error().code(), Code::policy_invalid);
}

TEST(ParseToml, KeepsTypesAndLines) {
  const auto parsed = parsed_toml("b = true\na = 7\n[t]\n\ns = \"x\"\nl = [1,\n 2]\nf = 1.5\n");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message();
  const auto& root = std::get<TomlValue::Table>(parsed->content);
  ASSERT_EQ(root.size(), 3u);
  EXPECT_EQ(root[0].key, "b");
  EXPECT_TRUE(std::get<bool>(root[0].value.content));
  EXPECT_EQ(root[1].key, "a");
  EXPECT_EQ(root[1].value.line, 2u);
  EXPECT_EQ(std::get<std::int64_t>(root[1].value.content), 7);
  const auto& table = std::get<TomlValue::Table>(root[2].value.content);
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(std::get<std::string>(table[0].value.content), "x");
  EXPECT_EQ(table[0].value.line, 5u);
  const auto& list = std::get<TomlValue::Array>(table[1].value.content);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1].line, 7u);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(table[2].value.content));
}

TEST(ParseToml, GivesEachEntryItsLine) {
  const auto parsed = parsed_toml("[[e]]\na = 1\n\n[[e]]\na = 2\n");
  ASSERT_TRUE(parsed.has_value());
  const auto& root = std::get<TomlValue::Table>(parsed->content);
  const auto& entries = std::get<TomlValue::Array>(root.at(0).value.content);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].line, 1u);
  EXPECT_EQ(entries[1].line, 4u);
}

TEST(ParseToml, RefusesWhatIsNoToml) {
  for (std::string_view text : {"a", "a =", "a = 1\na = 2", "[t]\n[t]", "a = \"x", "a = [1,", "= 1",
                                "a = 99999999999999999999", "\xff = 1", "a = 1 b = 2"}) {
    expect_refused(text);
  }
}

TEST(ParseToml, NamesTheLineOfAMistake) {
  const auto parsed = parsed_toml("a = 1\n\nb = = 2\n");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_THAT(parsed.error().where(), testing::HasSubstr("line 3"));
}

TEST(ParseToml, RefusesControlCharactersInValuesAndKeys) {
  expect_refused("a = \"x\\u0000y\"");
  expect_refused("a = \"x\\ny\"");
  expect_refused("a = [\"x\\u001b[2J\"]");
  expect_refused("\"a\\u0007\" = 1");
}

TEST(ParseToml, RefusesMultiLineStrings) {
  expect_refused("a = \"\"\"x\"\"\"");
  expect_refused("a = '''x'''");
}

// Each of these exhausts the stack of a parser without limits, or of its destructors.
TEST(ParseToml, RefusesDepth) {
  constexpr std::size_t kMany = 200'000;
  expect_refused("a" + repeat(".a", kMany) + " = 1");
  expect_refused("[a" + repeat(".a", kMany) + "]");
  expect_refused("[[a" + repeat(".a", kMany) + "]]");
  expect_refused("a" + repeat(".\"a\"", kMany) + " = 1");
  expect_refused("a" + repeat(" . a", kMany) + " = 1");
  expect_refused("x = \"\\\"\" \n'#'" + repeat(".'a'", kMany) + " = 1");
  expect_refused("x = '\\'\na" + repeat(".a", kMany) + " = 1");
  expect_refused("x = [\"\\\\\", {a" + repeat(".a", kMany) + " = 1}]");
  expect_refused("a = " + repeat("[", kMany));
  expect_refused("a = " + repeat("[", kMany) + repeat("]", kMany));
  expect_refused("a = " + repeat("{a=", kMany));
  expect_refused("a = " + repeat("[{a=", kMany));
  expect_refused("a = " + repeat("[\n", kMany));
}

// On these toml++ 3.3 breaks its own preconditions.
TEST(ParseToml, RefusesBrokenTableHeaders) {
  for (std::string_view text : {"[&", "[=", "[[[", "[[[a]]]", "[[[1]]]", "[[=", "[\xff"}) {
    expect_refused(text);
  }
}

TEST(ParseToml, AllowsOtherScriptsInStringsAndCommentsOnly) {
  EXPECT_TRUE(parsed_toml("\xEF\xBB\xBF"
                          "a = \"\u03D0 \u00A0 \u2003\" # \u03D0")
                  .has_value());
  EXPECT_TRUE(parsed_toml("a = [ \"\u03D0\",'\u03D0']").has_value());
  expect_refused("a = \u03D0x");  // undefined behaviour in toml++ 3.3
  expect_refused("a = 1\"\u03D0\"");
  expect_refused("a = 1=\"\u03D0\"");
  expect_refused("a = 1[\"\u03D0\"");
  expect_refused("a=\"\u03D0\"");
  expect_refused("\u03D0 = 1");
  expect_refused("a = 1 \u00A0");
  expect_refused("\u2003a = 1");
  expect_refused("a = \"\xff\"");
  expect_refused("a = 1 \xEF\xBB\xBF");
}

TEST(ParseToml, AllowsDotsInStringsAndComments) {
  EXPECT_TRUE(parsed_toml("a = \"" + repeat(".", 100) + "\" # " + repeat(".", 100)).has_value());
  EXPECT_TRUE(parsed_toml("# it's a comment" + repeat(".", 100)).has_value());
  EXPECT_TRUE(parsed_toml("a = \"\\\"" + repeat(".", 100) + "\"").has_value());
}

TEST(ParseToml, RefusesWhatIsTooLarge) {
  const std::string comment = "#" + repeat("x", kMaxTomlSize - 1);
  EXPECT_TRUE(parsed_toml(comment).has_value());
  expect_refused(comment + "x");
}

TEST(Printable, KeepsToOneLine) {
  EXPECT_EQ(printable("a\nb\x1b"), "a?b?");
  EXPECT_LT(printable(repeat("x", 100'000)).size(), 300u);
}

}  // namespace
}  // namespace ratls::toml
