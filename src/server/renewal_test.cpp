// SPDX-License-Identifier: Apache-2.0
#include "server/renewal.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <thread>

#include "evidence/evidence.h"
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

AttestedCertificate make_certificate() {
  return ratls::testing::fake_attester().certify(system_now()).value();
}

// Until the certificate is another one; gives it.
Bytes wait_for_another(const ServerTls& tls, const Bytes& than) {
  while (certificate_of(tls) == than) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return certificate_of(tls);
}

TEST(Renewal, ExchangesADueCertificate) {
  auto first = make_certificate();
  const Bytes der = first.certificate_der();
  ServerTls tls = ServerTls::create(first).value();
  Renewal renewal(ratls::testing::fake_attester(), std::move(first), tls, overdue_schedule());
  ASSERT_TRUE(renewal.start().has_value());
  wait_for_another(tls, der);
  renewal.stop();
}

TEST(Renewal, KeepsTheCertificateWhenThereIsNoQuote) {
  auto first = make_certificate();
  const Bytes der = first.certificate_der();
  ServerTls tls = ServerTls::create(first).value();
  std::atomic<int> asked{0};
  const auto attester = Attester::create(
      [&](const ReportData&) -> Result<Bytes> {
        ++asked;
        return Error(Code::quote_unavailable, "", "");
      },
      {});
  Renewal renewal(*attester, std::move(first), tls, overdue_schedule());
  ASSERT_TRUE(renewal.start().has_value());
  while (asked == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  renewal.stop();
  EXPECT_EQ(certificate_of(tls), der);
}

TEST(Renewal, MakesACertificateWithAnotherAttesterAtOnce) {
  auto first = make_certificate();
  const Bytes der = first.certificate_der();
  ServerTls tls = ServerTls::create(first).value();
  const RenewalSchedule schedule(system_now(), first.not_after());
  Renewal renewal(ratls::testing::fake_attester(), std::move(first), tls, schedule);
  ASSERT_TRUE(renewal.start().has_value());
  renewal.reload(ratls::testing::fake_attester());
  wait_for_another(tls, der);
  renewal.stop();
}

TEST(Renewal, LooksForCollateralAgainWhenReloaded) {
  auto first = make_certificate();
  const Bytes der = first.certificate_der();
  ServerTls tls = ServerTls::create(first).value();
  std::atomic<int> asked{0};
  Staple staple([&](BytesView, UnixTime now) -> Result<StapledCollateral> {
    ++asked;
    return StapledCollateral{"{}", now + std::chrono::hours(1), {}};
  });
  staple.refresh_if_due(der, system_now());
  const RenewalSchedule schedule(system_now(), first.not_after());
  Renewal renewal(ratls::testing::fake_attester(), std::move(first), tls, schedule, &staple);
  ASSERT_TRUE(renewal.start().has_value());
  renewal.reload(std::nullopt);
  while (asked < 2) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  renewal.stop();
  EXPECT_EQ(certificate_of(tls), der);
}

TEST(Renewal, StopsAtOnceWhenNothingIsDue) {
  auto first = make_certificate();
  const Bytes der = first.certificate_der();
  ServerTls tls = ServerTls::create(first).value();
  const RenewalSchedule schedule(system_now(), first.not_after());
  Renewal renewal(ratls::testing::fake_attester(), std::move(first), tls, schedule);
  ASSERT_TRUE(renewal.start().has_value());
  renewal.stop();
  renewal.stop();
  EXPECT_EQ(certificate_of(tls), der);
}

x509::Certificate parsed(const Bytes& der) {
  return x509::parse_certificate(der, Code::certificate_malformed).value();
}

Bytes brought_by(const Bytes& der) {
  const x509::Certificate certificate = parsed(der);
  const auto found = certificate.find(evidence::endorsements_oid());
  return found.empty() ? Bytes() : found.front()->value;
}

/// Endorsing is a renewal whose quotes never come, and a staple that says what to bring.
class Endorsing : public ::testing::Test {
 protected:
  static Attester no_quotes() {
    return Attester::create(
               [](const ReportData&) -> Result<Bytes> {
                 return Error(Code::quote_unavailable, "", "");
               },
               {})
        .value();
  }

  void refresh(UnixTime now) {
    renewal_.refresh_staple(now);
    now_ = certificate_of(tls_);
  }

  Bytes wanted_ = {1, 2, 3};
  Staple staple_{[this](BytesView, UnixTime now) -> Result<StapledCollateral> {
    return StapledCollateral{"{}", now + minutes(90), wanted_};
  }};
  AttestedCertificate first_ = make_certificate();
  const Bytes first_der_ = first_.certificate_der();
  ServerTls tls_ = ServerTls::create(first_).value();
  const UnixTime begin_ = system_now();
  Renewal renewal_{no_quotes(), std::move(first_), tls_, overdue_schedule(), &staple_};
  Bytes now_;
};

TEST_F(Endorsing, SignsAnewOnlyWhenTheCollateralChanges) {
  refresh(begin_);
  EXPECT_EQ(brought_by(now_), wanted_);
  EXPECT_EQ(parsed(now_).spki, parsed(first_der_).spki);
  const Bytes before = now_;
  wanted_ = {4};  // which is not asked for yet
  refresh(begin_ + minutes(30));
  EXPECT_EQ(now_, before);
  refresh(begin_ + minutes(61));
  EXPECT_EQ(brought_by(now_), Bytes{4});
}

TEST_F(Endorsing, HappensInTheThread) {
  ASSERT_TRUE(renewal_.start().has_value());
  const Bytes after = wait_for_another(tls_, first_der_);
  renewal_.stop();
  EXPECT_EQ(brought_by(after), wanted_);
}

TEST_F(Endorsing, BringsNothingWhenItIsTooLarge) {
  refresh(begin_);
  wanted_ = Bytes(70'000, 7);
  refresh(begin_ + minutes(61));
  EXPECT_EQ(brought_by(now_), Bytes()) << "not the old collateral either";
  const Bytes before = now_;
  refresh(begin_ + minutes(62));
  EXPECT_EQ(now_, before) << "it is not tried again";
}

TEST(Renewal, BringsCollateralInANewCertificateToo) {
  auto first = make_certificate();
  const Bytes der = first.certificate_der();
  ServerTls tls = ServerTls::create(first).value();
  Staple staple([](BytesView, UnixTime now) -> Result<StapledCollateral> {
    return StapledCollateral{"{}", now + minutes(90), {4, 5}};
  });
  Renewal renewal(ratls::testing::fake_attester(), std::move(first), tls, overdue_schedule(),
                  &staple);
  renewal.refresh_staple(system_now());
  const Bytes endorsed = certificate_of(tls);
  EXPECT_EQ(brought_by(endorsed), (Bytes{4, 5}));
  ASSERT_TRUE(renewal.start().has_value());
  const Bytes after = wait_for_another(tls, endorsed);
  renewal.stop();
  EXPECT_EQ(brought_by(after), (Bytes{4, 5}));
  EXPECT_NE(parsed(after).spki, parsed(der).spki);
}

TEST(Staple, AsksOnceAMinuteHoweverOftenItIsToldTo) {
  int asked = 0;
  Staple staple([&](BytesView, UnixTime now) -> Result<StapledCollateral> {
    ++asked;
    return StapledCollateral{"{}", now + minutes(90), {}};
  });
  const auto asked_by = [&](UnixTime now) {
    staple.refresh_if_due({}, now);
    return asked;
  };
  EXPECT_EQ(asked_by(kMade), 1);
  for (const seconds after : {seconds(1), seconds(2), seconds(60)}) {
    staple.ask_again();
    EXPECT_EQ(asked_by(kMade + after), 2) << "the first time at once";
  }
  EXPECT_EQ(asked_by(kMade + seconds(61)), 3);
  EXPECT_EQ(asked_by(kMade + seconds(200)), 3) << "nobody wants it";
  EXPECT_EQ(asked_by(kMade - minutes(10)), 4) << "the clock was set back";
  staple.ask_again();
  EXPECT_EQ(asked_by(kMade - minutes(8)), 5) << "and does not put it off";
}

TEST(Staple, EndorsesUntilTheCollateralEnds) {
  Staple staple([](BytesView, UnixTime now) -> Result<StapledCollateral> {
    return StapledCollateral{"{}", now + minutes(30), {1}};
  });
  staple.refresh_if_due({}, kMade);
  EXPECT_EQ(staple.endorsements(kMade + minutes(30)), Bytes{1});
  EXPECT_EQ(staple.endorsements(kMade + minutes(31)), Bytes());
}

}  // namespace
}  // namespace ratls::server
