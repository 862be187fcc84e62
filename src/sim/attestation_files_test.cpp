// SPDX-License-Identifier: Apache-2.0
#include "sim/attestation_files.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/temporary_dir.h"

namespace ratls::sim {
namespace {

class AttestationFilesTest : public ::testing::Test {
 protected:
  AttestationFilesTest()
      : files_(Platform::init(dir_.path() / "sim", {}, UnixTime{std::chrono::seconds(1768478400)})
                   .value()) {}

  std::string content(std::string_view path) {
    const auto opened = files_.open(path, Access::read);
    EXPECT_EQ(opened.error, 0);
    std::string out;
    for (;;) {
      const BytesView part = files_.read(opened.handle, out.size(), 100);
      if (part.empty()) break;
      out += as_text(part);
    }
    files_.close(opened.handle);
    return out;
  }
  ReportData quoted() { return parse_quote(as_bytes(content("/quote"))).value().report_data(); }

  ratls::testing::TemporaryDir dir_;
  AttestationFiles files_;
};

TEST_F(AttestationFilesTest, SaysDcap) { EXPECT_EQ(content("/attestation_type"), "dcap"); }

TEST_F(AttestationFilesTest, EveryWriteReplacesTheWholeValue) {
  EXPECT_EQ(files_.write("/user_report_data", as_bytes(std::string(64, 'a'))), 0);
  EXPECT_EQ(content("/user_report_data"), std::string(64, 'a'));
  EXPECT_EQ(files_.write("/user_report_data", as_bytes("bc")), 0);
  EXPECT_EQ(content("/user_report_data"), "bc" + std::string(62, '\0'));
  EXPECT_EQ(as_text(quoted().view()), "bc" + std::string(62, '\0'));
}

TEST_F(AttestationFilesTest, RefusesMoreThan64Bytes) {
  EXPECT_EQ(files_.write("/user_report_data", as_bytes("before")), 0);
  EXPECT_EQ(files_.write("/user_report_data", as_bytes(std::string(65, 'a'))), EINVAL);
  EXPECT_EQ(content("/user_report_data"), "before" + std::string(58, '\0'));
}

TEST_F(AttestationFilesTest, QuoteIsMadeAtOpen) {
  EXPECT_EQ(files_.write("/user_report_data", as_bytes("old")), 0);
  const auto opened = files_.open("/quote", Access::read);
  EXPECT_EQ(files_.write("/user_report_data", as_bytes("new")), 0);
  const BytesView bytes = files_.read(opened.handle, 0, 65536);
  EXPECT_EQ(parse_quote(bytes).value().report_data().bytes[0], 'o');
  EXPECT_EQ(quoted().bytes[0], 'n');
}

TEST_F(AttestationFilesTest, OnlyReportDataCanBeWritten) {
  EXPECT_EQ(files_.open("/quote", Access::write).error, EACCES);
  EXPECT_EQ(files_.open("/attestation_type", Access::write).error, EACCES);
  EXPECT_EQ(files_.open("/user_report_data", Access::write).error, 0);
  EXPECT_EQ(files_.write("/quote", as_bytes("x")), EACCES);
}

TEST_F(AttestationFilesTest, KnowsNoOtherFile) {
  EXPECT_EQ(files_.open("/report", Access::read).error, ENOENT);
  EXPECT_FALSE(files_.find("/report").has_value());
  EXPECT_FALSE(files_.find("").has_value());
  EXPECT_TRUE(files_.find("/quote").has_value());
  EXPECT_TRUE(files_.find("/")->is_directory);
}

TEST_F(AttestationFilesTest, AClosedHandleReadsNothing) {
  const auto opened = files_.open("/quote", Access::read);
  files_.close(opened.handle);
  EXPECT_TRUE(files_.read(opened.handle, 0, 100).empty());
  EXPECT_TRUE(files_.read(4711, 0, 100).empty());
}

}  // namespace
}  // namespace ratls::sim
