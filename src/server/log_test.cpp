// SPDX-License-Identifier: Apache-2.0
#include "server/log.h"

#include <gtest/gtest.h>

namespace ratls::server {
namespace {

std::string line_of(std::string_view message) {
  const std::string line =
      format_log_line(UnixTime(std::chrono::seconds(0)), LogLevel::info, message);
  const std::string begin = "1970-01-01T00:00:00Z info ";
  EXPECT_TRUE(line.starts_with(begin));
  EXPECT_TRUE(line.ends_with('\n'));
  return line.substr(begin.size(), line.size() - begin.size() - 1);
}

TEST(FormatLogLine, KeepsText) {
  EXPECT_EQ(line_of("hello, w\xc3\xb6rld \xe2\x82\xac \xf0\x9f\x90\x9f"),
            "hello, w\xc3\xb6rld \xe2\x82\xac \xf0\x9f\x90\x9f");
}

TEST(FormatLogLine, StaysOneLine) {
  EXPECT_EQ(line_of("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(line_of("a\\nb"), "a\\\\nb");
}

TEST(FormatLogLine, EscapesControlCharacters) {
  using namespace std::string_view_literals;
  EXPECT_EQ(line_of("\x1b[2J\0\x7f"sv), "\\x1b[2J\\x00\\x7f");
  EXPECT_EQ(line_of("\xc2\x9b"), "\\xc2\\x9b");           // U+009B, a C1 control character
  EXPECT_EQ(line_of("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // U+202E turns the direction
  EXPECT_EQ(line_of("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");  // U+2066 too
}

TEST(FormatLogLine, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(line_of("\xff"), "\\xff");
  EXPECT_EQ(line_of("\x80"), "\\x80");
  EXPECT_EQ(line_of("\xc3"), "\\xc3");
  EXPECT_EQ(line_of("\xe2\x82"), "\\xe2\\x82");
  EXPECT_EQ(line_of("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(line_of("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(line_of("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(line_of("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(line_of("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
}

TEST(FormatLogLine, CutsLongMessages) {
  EXPECT_EQ(line_of(std::string(8192 + 5, 'a')), std::string(8192, 'a') + " [5 more bytes]");
}

}  // namespace
}  // namespace ratls::server
