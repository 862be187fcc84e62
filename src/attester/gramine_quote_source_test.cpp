// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "ratls/attester.h"
#include "support/fake_quote.h"

namespace ratls {
namespace {

using testing::make_fake_quote;

ReportData report_data_of(std::uint8_t value) {
  ReportData data;
  data.bytes.fill(value);
  return data;
}

// A folder of plain files in the place of Gramine's pseudo files.
class GramineQuoteSource : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "ratls_gramine_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    write("attestation_type", "dcap");
    write("user_report_data", "");
    write("quote", "");
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  void write(const std::string& name, std::string_view content) {
    std::ofstream(dir_ / name, std::ios::binary) << content;
  }
  void write(const std::string& name, const Bytes& content) {
    write(name, std::string(content.begin(), content.end()));
  }
  Code opening() {
    const auto source = gramine_quote_source(dir_);
    return source ? Code::ok : source.error().code();
  }
  Result<Bytes> quote(const ReportData& report_data) {
    RATLS_TRY(const QuoteSource source, gramine_quote_source(dir_));
    return source(report_data);
  }
  Code quoting(const ReportData& report_data) {
    const auto made = quote(report_data);
    return made ? Code::ok : made.error().code();
  }
  std::filesystem::path dir_;
};

TEST_F(GramineQuoteSource, IsRefusedWithoutDevice) {
  std::filesystem::remove(dir_ / "attestation_type");
  EXPECT_EQ(opening(), Code::quote_unavailable);
  std::filesystem::remove_all(dir_);
  EXPECT_EQ(opening(), Code::quote_unavailable);
}

TEST_F(GramineQuoteSource, IsRefusedForOtherAttestationTypes) {
  for (std::string_view type : {"none", "epid", "", "DCAP", "dcap2", "dcap dcap", "\ndcap"}) {
    write("attestation_type", type);
    EXPECT_EQ(opening(), Code::quote_unavailable) << type;
  }
  write("attestation_type", std::string(100, ' '));
  EXPECT_EQ(opening(), Code::quote_unavailable);
}

TEST_F(GramineQuoteSource, IgnoresPaddingOfTheAttestationType) {
  for (std::string_view type : {std::string_view("dcap\n"), std::string_view("dcap\0\0", 6)}) {
    write("attestation_type", type);
    EXPECT_EQ(opening(), Code::ok);
  }
}

TEST_F(GramineQuoteSource, WritesTheReportDataAndReadsTheQuote) {
  const ReportData asked = report_data_of(5);
  const Bytes expected = make_fake_quote({asked});
  write("quote", expected);
  const auto made = quote(asked);
  ASSERT_TRUE(made.has_value()) << made.error().message();
  EXPECT_EQ(*made, expected);
  const auto written = read_file(dir_ / "user_report_data", 1000);
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(*written, Bytes(asked.bytes.begin(), asked.bytes.end()));
}

TEST_F(GramineQuoteSource, TrimsWhatFollowsTheQuote) {
  const Bytes expected = make_fake_quote({report_data_of(5)});
  Bytes padded = expected;
  padded.resize(expected.size() + 1000);
  write("quote", padded);
  const auto made = quote(report_data_of(5));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(*made, expected);
}

TEST_F(GramineQuoteSource, RefusesAQuoteOverOtherReportData) {
  write("quote", make_fake_quote({report_data_of(5)}));
  EXPECT_EQ(quoting(report_data_of(6)), Code::quote_unavailable);
  ReportData last_byte = report_data_of(5);
  last_byte.bytes[63] = 6;
  EXPECT_EQ(quoting(last_byte), Code::quote_unavailable);
}

TEST_F(GramineQuoteSource, RefusesWhatIsNoQuote) {
  EXPECT_EQ(quoting(report_data_of(5)), Code::quote_unavailable);
  write("quote", "no quote");
  EXPECT_EQ(quoting(report_data_of(5)), Code::quote_unavailable);
  Bytes cut = make_fake_quote({report_data_of(5)});
  cut.pop_back();
  write("quote", cut);
  EXPECT_EQ(quoting(report_data_of(5)), Code::quote_unavailable);
}

TEST_F(GramineQuoteSource, RefusesAQuoteThatIsTooLarge) {
  Bytes large = make_fake_quote({report_data_of(5)});
  large.resize(kMaxQuoteSize + 1);
  write("quote", large);
  EXPECT_EQ(quoting(report_data_of(5)), Code::quote_unavailable);
}

TEST_F(GramineQuoteSource, FailsWhenAFileGoesAway) {
  const ReportData asked = report_data_of(5);
  write("quote", make_fake_quote({asked}));
  const auto source = gramine_quote_source(dir_);
  ASSERT_TRUE(source.has_value());
  std::filesystem::remove(dir_ / "quote");
  EXPECT_EQ((*source)(asked).error().code(), Code::quote_unavailable);
  write("quote", make_fake_quote({asked}));
  std::filesystem::remove(dir_ / "user_report_data");
  EXPECT_EQ((*source)(asked).error().code(), Code::quote_unavailable);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "user_report_data"));
}

// Answers each opening of "quote" with a quote over the report data of that moment, as Gramine
// does.
class LiveDevice {
 public:
  explicit LiveDevice(const std::filesystem::path& dir) : dir_(dir) {
    make_fifo();
    thread_ = std::thread([this] {
      while (!done_) answer_one();
    });
  }
  ~LiveDevice() {
    done_ = true;
    thread_.join();
  }

 private:
  void make_fifo() {
    const std::filesystem::path next = dir_ / "quote.next";
    ASSERT_EQ(::mkfifo(next.c_str(), 0600), 0);
    std::filesystem::rename(next, dir_ / "quote");
  }
  void answer_one() {
    const int fd = ::open((dir_ / "quote").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {  // nobody reads yet
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      return;
    }
    make_fifo();  // each reader has a pipe of its own
    const auto data = read_file(dir_ / "user_report_data", 1000);
    if (data && data->size() == ReportData::kSize) {
      ReportData report_data;
      std::ranges::copy(*data, report_data.bytes.begin());
      const Bytes quote = make_fake_quote({report_data});
      EXPECT_EQ(::write(fd, quote.data(), quote.size()), static_cast<ssize_t>(quote.size()));
    }
    ::close(fd);
  }

  std::filesystem::path dir_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

TEST_F(GramineQuoteSource, KeepsConcurrentCallersApart) {
  const LiveDevice device(dir_);
  std::atomic<int> failures{0};
  std::vector<std::thread> callers;
  for (std::uint8_t caller = 1; caller <= 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 20; ++i) {
        // Two sources of one device share the lock too.
        if (quoting(report_data_of(caller)) != Code::ok) ++failures;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace ratls
