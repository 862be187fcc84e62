// SPDX-License-Identifier: Apache-2.0
#include "server/renewal.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <thread>

#include "support/fake_attester.h"

namespace ratls::server {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr UnixTime kMade{seconds(1'000'000)};

RenewalSchedule hour_schedule() { return {kMade, kMade + minutes(60)}; }

TEST(RenewalSchedule, IsDueAtTwoThirdsOfTheLife) {
  const RenewalSchedule schedule = hour_schedule();
  EXPECT_FALSE(schedule.is_due(kMade));
  EXPECT_FALSE(schedule.is_due(kMade + minutes(40) - seconds(1)));
  EXPECT_TRUE(schedule.is_due(kMade + minutes(40)));
  EXPECT_TRUE(schedule.is_due(kMade + minutes(4000)));
}

TEST(RenewalSchedule, IsDueWhenTheClockIsBeforeTheCertificate) {
  const RenewalSchedule schedule = hour_schedule();
  EXPECT_FALSE(schedule.is_due(kMade - minutes(5)));
  EXPECT_TRUE(schedule.is_due(kMade - minutes(5) - seconds(1)));
}

TEST(RenewalSchedule, BacksOffAfterFailures) {
  RenewalSchedule schedule = hour_schedule();
  UnixTime now = kMade + minutes(40);
  for (const int wait : {5, 10, 20, 40, 80, 160, 300, 300}) {
    schedule.failed(now);
    EXPECT_FALSE(schedule.is_due(now + seconds(wait - 1))) << wait;
    EXPECT_TRUE(schedule.is_due(now + seconds(wait))) << wait;
    now += seconds(wait);
  }
  EXPECT_TRUE(schedule.is_due(now - minutes(10))) << "the clock was set back";
}

TEST(RenewalSchedule, BeginsAgainAfterSuccess) {
  RenewalSchedule schedule = hour_schedule();
  schedule.failed(kMade + minutes(40));
  const UnixTime made = kMade + minutes(41);
  schedule.succeeded(made, made + minutes(30));
  EXPECT_FALSE(schedule.is_due(made + minutes(20) - seconds(1)));
  EXPECT_TRUE(schedule.is_due(made + minutes(20)));
  schedule.failed(made + minutes(20));
  EXPECT_TRUE(schedule.is_due(made + minutes(20) + seconds(5)));
}

TEST(RenewalSchedule, ReadsTheClockEveryHalfMinute) {
  const RenewalSchedule schedule = hour_schedule();
  EXPECT_EQ(schedule.pause(kMade), seconds(30));
  EXPECT_EQ(schedule.pause(kMade - minutes(1000)), seconds(30));
  EXPECT_EQ(schedule.pause(kMade + minutes(40) - seconds(7)), seconds(7));
  EXPECT_EQ(schedule.pause(kMade + minutes(50)), seconds(1));
}

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// certificate_of is what a connection that starts now would show.
Bytes certificate_of(const ServerTls& tls) {
  const std::unique_ptr<SSL, FreeSsl> ssl(tls.new_connection());
  unsigned char* der = nullptr;
  const int size = i2d_X509(SSL_get_certificate(ssl.get()), &der);
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

RenewalSchedule overdue_schedule() {
  return {system_now() - minutes(60), system_now() - minutes(1)};
}

TEST(Renewal, ExchangesADueCertificate) {
  const auto first = ratls::testing::fake_attester().certify(system_now()).value();
  ServerTls tls = ServerTls::create(first).value();
  Renewal renewal(ratls::testing::fake_attester(), tls, overdue_schedule());
  ASSERT_TRUE(renewal.start().has_value());
  while (certificate_of(tls) == first.certificate_der()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  renewal.stop();
}

TEST(Renewal, KeepsTheCertificateWhenThereIsNoQuote) {
  const auto first = ratls::testing::fake_attester().certify(system_now()).value();
  ServerTls tls = ServerTls::create(first).value();
  std::atomic<int> asked{0};
  const auto attester = Attester::create(
      [&](const ReportData&) -> Result<Bytes> {
        ++asked;
        return Error(Code::quote_unavailable, "", "");
      },
      {});
  Renewal renewal(*attester, tls, overdue_schedule());
  ASSERT_TRUE(renewal.start().has_value());
  while (asked == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  renewal.stop();
  EXPECT_EQ(certificate_of(tls), first.certificate_der());
}

TEST(Renewal, MakesACertificateWithAnotherAttesterAtOnce) {
  const auto first = ratls::testing::fake_attester().certify(system_now()).value();
  ServerTls tls = ServerTls::create(first).value();
  Renewal renewal(ratls::testing::fake_attester(), tls, {system_now(), first.not_after()});
  ASSERT_TRUE(renewal.start().has_value());
  renewal.reload(ratls::testing::fake_attester());
  while (certificate_of(tls) == first.certificate_der()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  renewal.stop();
}

TEST(Renewal, LooksForCollateralAgainWhenReloaded) {
  const auto first = ratls::testing::fake_attester().certify(system_now()).value();
  ServerTls tls = ServerTls::create(first).value();
  std::atomic<int> asked{0};
  Staple staple([&](BytesView, UnixTime now) -> Result<StapledCollateral> {
    ++asked;
    return StapledCollateral{"{}", now + std::chrono::hours(1)};
  });
  staple.refresh_if_due(first.certificate_der(), system_now());
  Renewal renewal(ratls::testing::fake_attester(), tls, {system_now(), first.not_after()});
  renewal.keep_fresh(staple, first.certificate_der());
  ASSERT_TRUE(renewal.start().has_value());
  renewal.reload(std::nullopt);
  while (asked < 2) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  renewal.stop();
  EXPECT_EQ(certificate_of(tls), first.certificate_der());
}

TEST(Renewal, StopsAtOnceWhenNothingIsDue) {
  const auto first = ratls::testing::fake_attester().certify(system_now()).value();
  ServerTls tls = ServerTls::create(first).value();
  Renewal renewal(ratls::testing::fake_attester(), tls, {system_now(), first.not_after()});
  ASSERT_TRUE(renewal.start().has_value());
  renewal.stop();
  renewal.stop();
  EXPECT_EQ(certificate_of(tls), first.certificate_der());
}

}  // namespace
}  // namespace ratls::server
