// SPDX-License-Identifier: Apache-2.0
#include "ratls/attester.h"

#include <gmock/gmock.h>

#include "attester/attested_certificate.h"
#include "base/reader.h"
#include "evidence/evidence.h"
#include "support/fake_quote.h"
#include "x509/certificate.h"

namespace ratls {
namespace {

using ::testing::ElementsAre;
using testing::FakeQuote;
using ::testing::HasSubstr;
using testing::make_fake_quote;

const UnixTime kNow = UnixTime(std::chrono::seconds(1700000000));

QuoteSource fake_source() {
  return [](const ReportData& data) -> Result<Bytes> { return make_fake_quote({data}); };
}

Result<AttestedCertificate> certify(QuoteSource source, CertificateOptions options = {}) {
  RATLS_TRY(const Attester attester, Attester::create(std::move(source), std::move(options)));
  return attester.certify(kNow);
}

Code code_of(const Result<AttestedCertificate>& result) {
  return result ? Code::ok : result.error().code();
}

x509::Certificate parsed(const AttestedCertificate& made) {
  auto certificate = x509::parse_certificate(made.certificate_der(), Code::certificate_malformed);
  EXPECT_TRUE(certificate.has_value());
  return std::move(certificate).value();
}

TEST(Attester, BindsKeyAndEndByDice) {
  for (const auto key : {CertificateKey::p256, CertificateKey::p384}) {
    CertificateOptions options;
    options.key = key;
    const auto made = certify(fake_source(), options);
    ASSERT_TRUE(made.has_value()) << made.error().message();
    const x509::Certificate certificate = parsed(*made);
    EXPECT_EQ(certificate.key_kind,
              key == CertificateKey::p256 ? x509::PublicKeyKind::p256 : x509::PublicKeyKind::p384);
    const auto evidence = evidence::read_evidence(certificate);
    ASSERT_TRUE(evidence.has_value()) << evidence.error().message();
    EXPECT_EQ(evidence->format, evidence::Format::dice);
    EXPECT_TRUE(evidence::check_binding(*evidence, certificate).has_value());
    EXPECT_EQ(evidence->claims->not_after, made->not_after());
    EXPECT_EQ(evidence->quote.report_data(), evidence::report_data_for(evidence->claims_bytes));
    ASSERT_TRUE(evidence->legacy_quote.has_value());
    EXPECT_EQ(evidence->legacy_quote->report_data(), evidence::report_data_for(certificate.spki));
    EXPECT_TRUE(x509::self_signature_valid(certificate));
  }
}

TEST(Attester, SetsTheDates) {
  CertificateOptions options;
  options.lifetime = std::chrono::hours(24);
  const auto made = certify(fake_source(), options);
  ASSERT_TRUE(made.has_value());
  const x509::Certificate certificate = parsed(*made);
  EXPECT_EQ(certificate.not_before, kNow - std::chrono::minutes(5));
  EXPECT_EQ(certificate.not_after - certificate.not_before, std::chrono::hours(24));
  EXPECT_EQ(certificate.not_after, made->not_after());
}

TEST(Attester, MakesAServerCertificate) {
  const auto made = certify(fake_source());
  ASSERT_TRUE(made.has_value());
  const x509::Certificate certificate = parsed(*made);
  EXPECT_EQ(certificate.subject, certificate.issuer);
  EXPECT_EQ(certificate.subject_common_name, "ratls");
  EXPECT_EQ(certificate.is_ca, false);
  EXPECT_EQ(certificate.key_usage, 1);
  ASSERT_TRUE(certificate.extended_key_usage.has_value());
  EXPECT_THAT(*certificate.extended_key_usage,
              ElementsAre(x509::oid_from_text("1.3.6.1.5.5.7.3.1")));
  EXPECT_THAT(certificate.dns_names, ElementsAre("localhost"));
  EXPECT_THAT(certificate.ip_addresses, ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(certificate.serial.size(), 16u);
  EXPECT_EQ(certificate.serial[0] & 0xc0, 0x40);
}

TEST(Attester, LeavesTheExtendedUsageOutOnRequest) {
  CertificateOptions options;
  options.any_usage = true;
  EXPECT_NE(options, CertificateOptions());
  const auto made = certify(fake_source(), options);
  ASSERT_TRUE(made.has_value());
  const x509::Certificate certificate = parsed(*made);
  EXPECT_FALSE(certificate.extended_key_usage.has_value());
  EXPECT_EQ(certificate.key_usage, 1);
  EXPECT_THAT(certificate.dns_names, ElementsAre("localhost"));
}

TEST(Attester, KeepsEvidenceUncritical) {
  const auto made = certify(fake_source());
  ASSERT_TRUE(made.has_value());
  const x509::Certificate certificate = parsed(*made);
  for (const BytesView oid : {evidence::dice_oid(), evidence::gramine_legacy_oid()}) {
    const auto found = certificate.find(oid);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_FALSE(found[0]->critical);
  }
}

TEST(Attester, WritesGraminesExtensionAsTheRawQuote) {
  const auto made = certify(fake_source());
  ASSERT_TRUE(made.has_value());
  const x509::Certificate certificate = parsed(*made);
  const auto found = certificate.find(evidence::gramine_legacy_oid());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->value, make_fake_quote({evidence::report_data_for(certificate.spki)}));
}

TEST(Attester, LeavesGraminesExtensionOutOnRequest) {
  int quotes = 0;
  CertificateOptions options;
  options.legacy_extension = false;
  const auto made = certify(
      [&](const ReportData& data) -> Result<Bytes> {
        ++quotes;
        return make_fake_quote({data});
      },
      options);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(quotes, 1);
  const x509::Certificate certificate = parsed(*made);
  EXPECT_TRUE(certificate.find(evidence::gramine_legacy_oid()).empty());
  EXPECT_TRUE(evidence::read_evidence(certificate).has_value());
}

TEST(Attester, MakesANewKeyForEachCertificate) {
  const auto attester = Attester::create(fake_source(), {});
  ASSERT_TRUE(attester.has_value());
  const auto first = attester->certify(kNow);
  const auto second = attester->certify(kNow);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_NE(parsed(*first).spki, parsed(*second).spki);
  EXPECT_NE(parsed(*first).serial, parsed(*second).serial);
}

TEST(Endorse, SignsAnewWithTheSameKeyQuotesAndDates) {
  int quotes = 0;
  auto made = certify([&](const ReportData& data) -> Result<Bytes> {
    ++quotes;
    return make_fake_quote({data});
  });
  ASSERT_TRUE(made.has_value());
  const int asked = quotes;
  const x509::Certificate before = parsed(*made);
  ASSERT_TRUE(made->endorse(Bytes{1, 2, 3}).has_value());
  const x509::Certificate after = parsed(*made);
  EXPECT_EQ(quotes, asked);
  EXPECT_EQ(after.spki, before.spki);
  EXPECT_NE(after.serial, before.serial);
  EXPECT_EQ(after.not_after, before.not_after);
  EXPECT_TRUE(x509::self_signature_valid(after));
  ASSERT_EQ(after.extensions.size(), before.extensions.size() + 1);
  EXPECT_EQ(x509::oid_to_text(after.extensions.back().oid), "2.23.133.5.4.2");
  EXPECT_EQ(after.extensions.back().value, (Bytes{1, 2, 3}));
  EXPECT_FALSE(after.extensions.back().critical);
  EXPECT_EQ(**evidence::find_endorsements(after), (Bytes{1, 2, 3}));

  ASSERT_TRUE(made->endorse(Bytes{4}).has_value());
  EXPECT_EQ(**evidence::find_endorsements(parsed(*made)), Bytes{4});
  ASSERT_TRUE(made->endorse({}).has_value());
  EXPECT_EQ(*evidence::find_endorsements(parsed(*made)), nullptr);
}

TEST(Endorse, RefusesWhatNoClientTakes) {
  auto made = certify(fake_source());
  ASSERT_TRUE(made.has_value());
  const Bytes before = made->certificate_der();
  const auto endorsed = made->endorse(Bytes(65536, 1));
  ASSERT_FALSE(endorsed.has_value());
  EXPECT_EQ(endorsed.error().code(), Code::config_invalid);
  EXPECT_EQ(made->certificate_der(), before);
}

TEST(Attester, GivesTheKeyOfTheCertificate) {
  const auto made = certify(fake_source());
  ASSERT_TRUE(made.has_value());
  const auto pem = made->key_pem();
  ASSERT_TRUE(pem.has_value());
  EXPECT_THAT(std::string(as_text(*pem)), HasSubstr("-----BEGIN PRIVATE KEY-----"));
  const auto key = crypto::PrivateKey::from_pem(*pem);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->spki_der().value(), parsed(*made).spki);
  EXPECT_EQ(key->to_der().value(), made->key_der().value());
  EXPECT_EQ(made->impl().key.spki_der().value(), parsed(*made).spki);
}

TEST(Attester, WritesTheCertificateAsPem) {
  const auto made = certify(fake_source());
  ASSERT_TRUE(made.has_value());
  const std::string pem = made->certificate_pem();
  const auto blocks = x509::split_pem(as_bytes(pem), "CERTIFICATE", 1, Code::internal);
  ASSERT_TRUE(blocks.has_value());
  EXPECT_THAT(*blocks, ElementsAre(made->certificate_der()));
}

TEST(Attester, ListsEachNameOnce) {
  CertificateOptions options;
  options.names = {"Stats.Example.ORG", "stats.example.org", "10.0.0.1", "0:0:0:0:0:0:0:1",
                   "localhost",         "2001:DB8::5",       "a-1"};
  const auto made = certify(fake_source(), options);
  ASSERT_TRUE(made.has_value()) << made.error().message();
  const x509::Certificate certificate = parsed(*made);
  EXPECT_THAT(certificate.dns_names, ElementsAre("localhost", "stats.example.org", "a-1"));
  EXPECT_THAT(certificate.ip_addresses, ElementsAre("127.0.0.1", "::1", "10.0.0.1", "2001:db8::5"));
}

TEST(Attester, RefusesNamesThatNoCertificateCanCarry) {
  const std::string long_label(64, 'a');
  const std::string long_name = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                                std::string(63, 'c') + "." + std::string(63, 'd');
  for (const std::string& name : {std::string(),
                                  std::string("*.example.org"),
                                  std::string("example.org."),
                                  std::string(".example.org"),
                                  std::string("a..b"),
                                  std::string("-a"),
                                  std::string("a-"),
                                  std::string("a_b"),
                                  std::string("a b"),
                                  std::string("a\nb"),
                                  std::string("a\0b", 3),
                                  std::string("127.0.0.1\0", 10),
                                  std::string("1.2.3"),
                                  std::string("256.0.0.1"),
                                  std::string("fe80::1%eth0"),
                                  std::string("[::1]"),
                                  std::string("host:8000"),
                                  std::string("https://host"),
                                  std::string("m\xc3\xbcller"),
                                  long_label,
                                  long_name}) {
    CertificateOptions options;
    options.names = {"good.example", name};
    const auto attester = Attester::create(fake_source(), options);
    ASSERT_FALSE(attester.has_value()) << name;
    EXPECT_EQ(attester.error().code(), Code::config_invalid) << name;
  }
  CertificateOptions many;
  many.names.assign(65, "a");
  EXPECT_EQ(code_of(certify(fake_source(), many)), Code::config_invalid);
}

TEST(Attester, BoundsTheLifetime) {
  const auto with_lifetime = [](std::chrono::seconds lifetime) {
    CertificateOptions options;
    options.lifetime = lifetime;
    return code_of(certify(fake_source(), options));
  };
  EXPECT_EQ(with_lifetime(std::chrono::minutes(10)), Code::ok);
  EXPECT_EQ(with_lifetime(std::chrono::days(89)), Code::ok);
  EXPECT_EQ(with_lifetime(std::chrono::seconds(599)), Code::config_invalid);
  EXPECT_EQ(with_lifetime(std::chrono::days(89) + std::chrono::seconds(1)), Code::config_invalid);
  EXPECT_EQ(with_lifetime(std::chrono::seconds(-1)), Code::config_invalid);
}

TEST(Attester, NeedsASource) { EXPECT_EQ(code_of(certify(nullptr)), Code::config_invalid); }

TEST(Attester, PassesTheSourcesErrorOn) {
  EXPECT_EQ(code_of(certify([](const ReportData&) -> Result<Bytes> {
              return Error(Code::quote_unavailable, "quote", "no device");
            })),
            Code::quote_unavailable);
}

TEST(Attester, RefusesAQuoteOverOtherReportData) {
  EXPECT_EQ(code_of(certify([](const ReportData&) -> Result<Bytes> {
              return make_fake_quote({ReportData()});
            })),
            Code::quote_unavailable);
}

TEST(Attester, RefusesWhatIsNoQuote) {
  EXPECT_EQ(code_of(certify([](const ReportData&) -> Result<Bytes> { return Bytes(1000); })),
            Code::quote_unavailable);
}

TEST(Attester, RefusesEvidenceThatGramineCouldNotRead) {
  const auto with_chain = [](std::size_t size) {
    return code_of(certify([size](const ReportData& data) -> Result<Bytes> {
      FakeQuote fake{data};
      fake.certification_size = size;
      return make_fake_quote(fake);
    }));
  };
  EXPECT_EQ(with_chain(6000), Code::ok);
  EXPECT_EQ(with_chain(8000), Code::quote_unavailable);
}

TEST(Attester, TrimsWhatFollowsTheQuote) {
  const auto made = certify([](const ReportData& data) -> Result<Bytes> {
    Bytes quote = make_fake_quote({data});
    quote.resize(quote.size() + 5000);
    return quote;
  });
  ASSERT_TRUE(made.has_value()) << made.error().message();
  EXPECT_LT(made->certificate_der().size(), 11000u);
}

TEST(Attester, RefusesQuotesOfTwoEnclaves) {
  std::uint8_t enclave = 1;
  EXPECT_EQ(code_of(certify([&](const ReportData& data) -> Result<Bytes> {
              FakeQuote fake{data};
              fake.mr_enclave = enclave++;
              return make_fake_quote(fake);
            })),
            Code::internal);
}

}  // namespace
}  // namespace ratls
