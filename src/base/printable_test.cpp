// SPDX-License-Identifier: Apache-2.0
#include "base/printable.h"

#include <gtest/gtest.h>

namespace ratls {
namespace {

TEST(PrintableLength, IsThatOfTheFirstCharacter) {
  EXPECT_EQ(printable_length("ab"), 1U);
  EXPECT_EQ(printable_length("\\"), 1U);
  EXPECT_EQ(printable_length("\xc3\xb6rt"), 2U);
  EXPECT_EQ(printable_length("\xe2\x82\xac"), 3U);
  EXPECT_EQ(printable_length("\xf0\x9f\x90\x9f!"), 4U);
}

TEST(PrintableLength, IsZeroForControlCharacters) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {"\0"sv, "\n"sv, "\x1b"sv, "\x7f"sv, "\xc2\x80"sv, "\xc2\x9b"sv, "\xe2\x80\xa8"sv,
        "\xe2\x80\xae"sv, "\xe2\x81\xa6"sv}) {
    EXPECT_EQ(printable_length(text), 0U) << ::testing::PrintToString(text);
  }
}

TEST(PrintableLength, IsZeroForWhatIsNoUtf8) {
  for (const std::string_view text : {"", "\xff", "\x9b", "\xc3", "\xe2\x82", "\xc0\xaf",
                                      "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_EQ(printable_length(text), 0U) << ::testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace ratls
