// SPDX-License-Identifier: Apache-2.0
#include "server/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ratls::server {
namespace {

constexpr UnixTime kTime{};

std::string line_of(std::string_view message) {
  const std::string line = format_log_line(LogFormat::text, {kTime, LogLevel::info, message});
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

TEST(FormatLogLine, EscapesFieldsToo) {
  EXPECT_EQ(format_log_line(LogFormat::text,
                            {kTime, LogLevel::error, "m", {{"path", "/a\n"}, {"status", 404}}}),
            "1970-01-01T00:00:00Z error m path=/a\\n status=404\n");
}

TEST(FormatLogLine, WritesJson) {
  EXPECT_EQ(format_log_line(LogFormat::json,
                            {kTime, LogLevel::warning, "m", {{"path", "/a"}, {"status", 404}}}),
            R"({"time":"1970-01-01T00:00:00Z","level":"warning","message":"m","path":"/a",)"
            R"("status":404})"
            "\n");
}

TEST(FormatLogLine, WritesJsonWhateverTheTextHolds) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  all += "\xe2\x80\xae\"}\n{\"";
  all += std::string(9000, '\xc3');
  const std::string line =
      format_log_line(LogFormat::json, {kTime, LogLevel::info, all, {{"path", all}}});
  const auto parsed = nlohmann::json::parse(line, nullptr, false);
  ASSERT_TRUE(parsed.is_object()) << line;
  EXPECT_EQ(parsed.size(), 4u);
  EXPECT_TRUE(parsed.at("path").get<std::string>().starts_with(std::string("\0\x01", 2)));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  for (const char c : line.substr(0, line.size() - 1)) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << int{c};
}

/// LogTest captures stderr and leaves the process's options as they were.
class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { set_log_options({}); }
  template <class Write>
  std::string logged(Write write) {
    ::testing::internal::CaptureStderr();
    write();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, WritesFromItsLevelOn) {
  set_log_options({.level = LogLevel::warning});
  EXPECT_EQ(logged([] { log(LogLevel::info, "m"); }), "");
  EXPECT_NE(logged([] { log(LogLevel::warning, "m"); }).find(" warning m\n"), std::string::npos);
  EXPECT_NE(logged([] { log(LogLevel::error, "m"); }).find(" error m\n"), std::string::npos);
}

TEST_F(LogTest, WritesRequestsTogetherAtEveryLevel) {
  set_log_options({.level = LogLevel::error});
  AccessLog requests;
  EXPECT_EQ(logged([&] {
              requests.add({{"status", 200}});
              requests.add({{"status", 404}});
            }),
            "");
  const std::string lines = logged([&] { requests.write(); });
  EXPECT_NE(lines.find("Z info request status=200\n"), std::string::npos);
  EXPECT_NE(lines.find("Z info request status=404\n"), std::string::npos);
  EXPECT_EQ(logged([&] { requests.write(); }), "") << "each once";
}

TEST_F(LogTest, WritesInItsFormat) {
  set_log_options({.format = LogFormat::json});
  const auto line = nlohmann::json::parse(logged([] { log(LogLevel::info, "m"); }));
  EXPECT_EQ(line.at("message"), "m");
}

}  // namespace
}  // namespace ratls::server
