// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace ratls {
namespace {

TEST(Text, ComparesWithoutCase) {
  EXPECT_TRUE(equal_ignoring_case("Content-Length", "content-LENGTH"));
  EXPECT_TRUE(equal_ignoring_case("", ""));
  for (const char* other : {"Content-Lengt", "Content-Length ", "Content_Length", ""}) {
    EXPECT_FALSE(equal_ignoring_case("Content-Length", other)) << other;
  }
  // Only letters have a case: '[' and '{' are as far apart as 'A' and 'a'.
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
}

TEST(Text, IsTrimmedAtItsEnds) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \r\n\t"), "");
}

TEST(Text, IsShownWithoutControlCharacters) {
  EXPECT_EQ(printable("a\r\n\x1b[1m\x7f\xc3\xa9"), "a???[1m?\xc3\xa9");
}

}  // namespace
}  // namespace ratls
