// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.h"

#include <gtest/gtest.h>

#include "support/fake_attester.h"

namespace ratls::server {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;

constexpr std::size_t kBeyond = Histogram::kBounds.size();

TEST(Histogram, CountsABoundAsWithinIt) {
  Histogram histogram;
  histogram.observe(microseconds(500));
  histogram.observe(microseconds(501));
  histogram.observe(microseconds(1000));
  histogram.observe(minutes(1));
  histogram.observe(minutes(2));
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.bucket(1), 2U);
  EXPECT_EQ(histogram.bucket(kBeyond - 1), 1U);
  EXPECT_EQ(histogram.bucket(kBeyond), 1U);
  EXPECT_EQ(histogram.nanoseconds(), 180'002'001'000U);
}

TEST(Histogram, TakesATimeBeforeItsBeginAsNone) {
  Histogram histogram;
  histogram.observe(-minutes(1));
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.nanoseconds(), 0U);
}

TEST(Histogram, HasBoundsThatRise) {
  for (std::size_t index = 1; index < kBeyond; ++index) {
    EXPECT_LT(Histogram::kBounds[index - 1].most, Histogram::kBounds[index].most);
    EXPECT_DOUBLE_EQ(std::stod(Histogram::kBounds[index].seconds),
                     std::chrono::duration<double>(Histogram::kBounds[index].most).count());
  }
}

TEST(WorkerMetrics, CountsAnswersByTheFirstDigit) {
  WorkerMetrics metrics;
  for (const int status : {101, 200, 204, 404, 599, 999}) metrics.count_answer(status);
  EXPECT_EQ(metrics.answers[0].value(), 1U);
  EXPECT_EQ(metrics.answers[1].value(), 2U);
  EXPECT_EQ(metrics.answers[2].value(), 0U);
  EXPECT_EQ(metrics.answers[3].value(), 1U);
  EXPECT_EQ(metrics.answers[4].value(), 2U);
}

TEST(CertificateMetrics, KnowsTheEndOfTheLastCertificate) {
  CertificateMetrics metrics;
  const auto made = metrics.certify(ratls::testing::fake_attester(), system_now());
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(metrics.expires, made->not_after().time_since_epoch().count());
  EXPECT_EQ(metrics.failures.value(), 0U);
}

TEST(CertificateMetrics, CountsFailures) {
  CertificateMetrics metrics;
  const auto attester = Attester::create(
      [](const ReportData&) -> Result<Bytes> { return Error(Code::quote_unavailable, "", ""); },
      {});
  EXPECT_FALSE(metrics.certify(*attester, system_now()).has_value());
  EXPECT_EQ(metrics.failures.value(), 1U);
  EXPECT_EQ(metrics.expires, 0);
  EXPECT_EQ(metrics.duration.nanoseconds(), 0U);
}

}  // namespace
}  // namespace ratls::server
