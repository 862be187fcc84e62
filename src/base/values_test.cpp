// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "ratls/bytes.h"
#include "ratls/time.h"

namespace ratls {
namespace {

using namespace std::chrono_literals;

TEST(Hex, RoundTripsInEitherCase) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0xab, 0xff}), "00abff");
  EXPECT_EQ(parse_hex("00aBfF", 3, "x").value(), (Bytes{0x00, 0xab, 0xff}));
  EXPECT_TRUE(parse_hex("", 0, "x").value().empty());
}

TEST(Hex, RefusesWhatIsNoHex) {
  for (const char* text : {"0", "0g", "g0", " 0", "0x", "é"}) {
    const auto parsed = parse_hex(text, 100, "field");
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), Code::malformed_hex);
    EXPECT_EQ(parsed.error().where(), "field");
  }
  EXPECT_FALSE(parse_hex("0011", 1, "x").has_value());
}

TEST(Hex, FixedSizesAreExact) {
  using Four = FixedBytes<4, struct FourTag>;
  EXPECT_EQ(parse_fixed_hex<Four>("01020304", "x").value().bytes[3], 4);
  EXPECT_FALSE(parse_fixed_hex<Four>("010203", "x").has_value());
  EXPECT_FALSE(parse_fixed_hex<Four>("0102030405", "x").has_value());
}

TEST(Time, ReadsAndWritesRfc3339) {
  EXPECT_EQ(format_time(UnixTime(0s)), "1970-01-01T00:00:00Z");
  for (const char* text : {"2024-02-29T23:59:59Z", "2024-03-01T01:29:59+01:30",
                           "2024-02-29T23:59:59.999Z", "2024-02-29T15:59:59-08:00", "1709251199"}) {
    EXPECT_EQ(format_time(parse_time(text, "t").value()), "2024-02-29T23:59:59Z") << text;
  }
}

TEST(Time, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+1:00", "1969-12-31T23:59:59Z", "-1", "1e9",
        "999999999999999999999", "253402300800", "2024-01-01T00:00:00Zx"}) {
    const auto time = parse_time(text, "t");
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_EQ(time.error().code(), Code::usage);
  }
}

TEST(Duration, ReadsUnitsAndWritesTheLargest) {
  EXPECT_EQ(parse_duration("90s", "d").value(), 90s);
  EXPECT_EQ(parse_duration("15m", "d").value(), 15min);
  EXPECT_EQ(parse_duration("24h", "d").value(), 24h);
  EXPECT_EQ(parse_duration("30d", "d").value(), std::chrono::days(30));
  EXPECT_EQ(format_duration(24h), "1d");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(0s), "0d");
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text :
       {"", "d", "30", "-1d", "1.5h", "30 d", "30w", "99999999999999d", "40000d"}) {
    EXPECT_FALSE(parse_duration(text, "d").has_value()) << text;
  }
}

TEST(Codes, HaveUniqueNamesAndTexts) {
  std::set<std::string_view> names;
  for (const CodeInfo& info : all_codes()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.text.empty()) << info.name;
    EXPECT_FALSE(info.hint.empty()) << info.name;
    EXPECT_EQ(&describe(info.code), &info);
  }
  EXPECT_EQ(all_codes().front().code, Code::ok);
}

TEST(Codes, GiveTheGroupAsExitCode) {
  EXPECT_EQ(exit_code(Code::ok), 0);
  EXPECT_EQ(exit_code(Code::tcb_out_of_date), 6);
  EXPECT_EQ(static_cast<int>(Code::tcb_out_of_date), 601);
  EXPECT_EQ(exit_code(Code::internal), 9);
}

TEST(ErrorClass, KeepsItsCodeWhenItGetsAPlace) {
  const Error error = Error(Code::timeout, "inner", "detail").in("outer");
  EXPECT_EQ(error.code(), Code::timeout);
  EXPECT_EQ(error.where(), "outer: inner");
}

TEST(ResultDeathTest, AbortsWhenTheWrongSideIsRead) {
  const Result<int> failed = Error(Code::internal, "", "");
  const Result<int> succeeded = 1;
  EXPECT_DEATH((void)failed.value(), "");
  EXPECT_DEATH((void)succeeded.error(), "");
  const Result<void> nothing = Error(Code::internal, "", "");
  EXPECT_DEATH(nothing.value(), "");
}

}  // namespace
}  // namespace ratls
