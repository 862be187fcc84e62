// SPDX-License-Identifier: Apache-2.0
// Against configfs-tsm as a file system (FUSE), which may misbehave.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "ratls/attester.h"
#include "sim/platform.h"
#include "sim/tsm_files.h"
#include "support/fake_quote.h"
#include "support/mounted_files.h"

namespace ratls {
namespace {

namespace fs = std::filesystem;

ReportData report_data_of(std::uint8_t value) {
  ReportData data;
  data.bytes.fill(value);
  return data;
}

sim::Platform tdx_platform(const fs::path& dir) {
  sim::PlatformOptions options;
  options.tee = Tee::tdx;
  return sim::Platform::init(dir, options, UnixTime{std::chrono::seconds(1768478400)}).value();
}

/// OtherWriter is somebody else who writes while the quote is made.
class OtherWriter {
 public:
  explicit OtherWriter(sim::TsmFiles::Quote quote)
      : files_([this, quote = std::move(quote)](const ReportData& data) {
          for (const std::string& name : files_.names("/")) {
            files_.write("/" + name + "/inblob", data.view());
          }
          return quote(data);
        }) {}
  sim::TsmFiles& files() { return files_; }

 private:
  sim::TsmFiles files_;
};

class TdxQuoteSource : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::fuse_permitted()) GTEST_SKIP() << "FUSE cannot be mounted here";
  }
  Result<Bytes> quote_from(sim::PseudoFiles& files, const ReportData& report_data) {
    const testing::MountedFiles mounted(files, tsm_);
    EXPECT_TRUE(mounted.is_ready());
    RATLS_TRY(const QuoteSource source, tdx_quote_source(tsm_));
    auto quote = source(report_data);
    EXPECT_TRUE(fs::is_empty(tsm_)) << "the folder is still there";
    return quote;
  }
  Result<Bytes> quote_from(sim::TsmFiles::Quote quote) {
    sim::TsmFiles files(std::move(quote));
    return quote_from(files, report_data_of(7));
  }
  sim::TsmFiles::Quote genuine() {
    return [platform = tdx_platform(dir_.path() / "sim")](const ReportData& data) {
      return platform.quote(data);
    };
  }

  testing::TemporaryDir dir_;
  fs::path tsm_ = dir_.path() / "tsm";
};

TEST_F(TdxQuoteSource, GivesQuotesOverTheReportData) {
  sim::TsmFiles files(genuine());
  const testing::MountedFiles mounted(files, tsm_);
  const QuoteSource source = tdx_quote_source(tsm_).value();
  for (const std::uint8_t value : {0, 7, 255}) {
    const auto quote = source(report_data_of(value));
    ASSERT_TRUE(quote.has_value()) << quote.error().message() << quote.error().where();
    const Quote parsed = parse_quote(*quote).value();
    EXPECT_EQ(parsed.tee(), Tee::tdx);
    EXPECT_EQ(parsed.report_data(), report_data_of(value));
  }
  EXPECT_TRUE(fs::is_empty(tsm_));
}

TEST_F(TdxQuoteSource, LeavesOutWhatFollowsTheQuote) {
  const auto quote = quote_from([genuine = genuine()](const ReportData& data) -> Result<Bytes> {
    RATLS_TRY(Bytes quote, genuine(data));
    quote.insert(quote.end(), 100, 0);
    return quote;
  });
  ASSERT_TRUE(quote.has_value());
  EXPECT_EQ(parse_quote(*quote)->size, quote->size());
}

TEST_F(TdxQuoteSource, RefusesWhatIsNoQuoteOverTheReportData) {
  const sim::TsmFiles::Quote wrong[] = {
      [](const ReportData&) { return Result<Bytes>(Bytes{}); },
      [](const ReportData&) { return Result<Bytes>(Bytes(100, 1)); },
      [](const ReportData&) { return Result<Bytes>(Bytes(200000, 1)); },
      [genuine = genuine()](const ReportData&) { return genuine(report_data_of(8)); },
      [](const ReportData& data) {
        return Result<Bytes>(testing::make_fake_quote({.report_data = data}));  // SGX
      },
      [](const ReportData&) { return Result<Bytes>(Error(Code::internal, "test", "")); },
  };
  for (const auto& quote : wrong) {
    const auto made = quote_from(quote);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code(), Code::quote_unavailable);
  }
}

TEST_F(TdxQuoteSource, TriesAgainWhenTheKernelIsBusy) {
  int failures = 3;
  const auto made =
      quote_from([genuine = genuine(), &failures](const ReportData& data) -> Result<Bytes> {
        if (failures-- > 0) return Error(Code::internal, "test", "busy");
        return genuine(data);
      });
  EXPECT_TRUE(made.has_value());
}

TEST_F(TdxQuoteSource, NoticesAnotherWriter) {
  OtherWriter writer(genuine());
  const auto made = quote_from(writer.files(), report_data_of(7));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), Code::quote_unavailable);
  EXPECT_TRUE(made.error().where().ends_with("generation"));
}

TEST_F(TdxQuoteSource, RefusesAnotherProvider) {
  sim::TsmFiles files(genuine(), "sev_guest");
  const auto made = quote_from(files, report_data_of(7));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), Code::quote_unavailable);
  EXPECT_TRUE(made.error().where().ends_with("provider"));
}

// A folder of an ordinary file system has none of the files.
TEST(TdxQuoteSourceWithoutTsm, IsRefusedAndLeavesNothing) {
  const testing::TemporaryDir dir;
  EXPECT_EQ(tdx_quote_source(dir.path() / "absent").error().code(), Code::quote_unavailable);
  const auto made = tdx_quote_source(dir.path()).value()(report_data_of(1));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), Code::quote_unavailable);
  EXPECT_TRUE(fs::is_empty(dir.path()));
}

TEST(AutoQuoteSource, TakesTheFirstThatIsThere) {
  const testing::TemporaryDir dir;
  const fs::path gramine = dir.path() / "attestation";
  const fs::path tsm = dir.path() / "tsm";
  fs::create_directory(gramine);
  const auto neither = auto_quote_source(gramine, tsm);
  ASSERT_FALSE(neither.has_value());
  EXPECT_EQ(neither.error().code(), Code::quote_unavailable);
  EXPECT_EQ(neither.error().where(), gramine.string() + ", " + tsm.string());
  fs::create_directory(tsm);
  const auto tdx = auto_quote_source(gramine, tsm);
  ASSERT_TRUE(tdx.has_value());
  EXPECT_NE((*tdx)(report_data_of(1)).error().where().find(tsm.string()), std::string::npos);
  std::ofstream(gramine / "attestation_type") << "none";
  EXPECT_EQ(auto_quote_source(gramine, tsm).error().where(),
            (gramine / "attestation_type").string());
}

}  // namespace
}  // namespace ratls
