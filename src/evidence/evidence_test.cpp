// SPDX-License-Identifier: Apache-2.0
#include "evidence/evidence.h"

#include <gtest/gtest.h>

#include <map>

#include "crypto/crypto.h"
#include "support/vectors.h"

namespace ratls::evidence {
namespace {

void put(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// A quote that parses: nothing is signed, the report holds report_data and one byte of identity.
Bytes make_quote(const ReportData& report_data, std::uint8_t identity = 1) {
  Bytes out;
  put(out, 3, 2);
  put(out, 2, 2);
  put(out, 0, 8);
  const Bytes vendor = *parse_hex("939a7233f79c4ca9940a0db3957f0607", 16, "vendor");
  out.insert(out.end(), vendor.begin(), vendor.end());
  out.resize(48 + 320, identity);
  out.insert(out.end(), report_data.bytes.begin(), report_data.bytes.end());
  put(out, 64 + 64 + 384 + 64 + 2 + 2 + 4, 4);
  out.resize(out.size() + 64 + 64 + 384 + 64 + 2);
  put(out, 5, 2);
  put(out, 0, 4);
  return out;
}

const Bytes kSpki = *parse_hex("30593013060708", 64, "spki");
const Bytes kOtherSpki = *parse_hex("30593013060709", 64, "spki");
constexpr UnixTime kNotAfter{std::chrono::seconds(1800000000)};

x509::Certificate make_certificate() {
  x509::Certificate certificate;
  certificate.spki = kSpki;
  certificate.key_kind = x509::PublicKeyKind::p256;
  return certificate;
}

void add(x509::Certificate& certificate, BytesView oid, const Bytes& value) {
  certificate.extensions.push_back({Bytes(oid.begin(), oid.end()), false, value});
}

Bytes make_dice(const Bytes& spki = kSpki) {
  const Bytes claims = write_claims(spki, kNotAfter);
  return write_dice(make_quote(report_data_for(claims)), claims);
}

Code read_code(const x509::Certificate& certificate) {
  auto evidence = read_evidence(certificate);
  return evidence ? Code::ok : evidence.error().code();
}

Code binding_code(const x509::Certificate& certificate) {
  auto evidence = read_evidence(certificate);
  if (!evidence) return evidence.error().code();
  auto bound = check_binding(*evidence, certificate);
  return bound ? Code::ok : bound.error().code();
}

TEST(ReadEvidence, ReadsDice) {
  x509::Certificate certificate = make_certificate();
  add(certificate, dice_oid(), make_dice());
  auto evidence = read_evidence(certificate);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(evidence->format, Format::dice);
  EXPECT_EQ(evidence->claims_bytes, write_claims(kSpki, kNotAfter));
  ASSERT_TRUE(evidence->claims);
  EXPECT_EQ(evidence->claims->not_after, kNotAfter);
  EXPECT_FALSE(evidence->legacy_quote);
  EXPECT_EQ(binding_code(certificate), Code::ok);
}

TEST(ReadEvidence, ReadsBothLegacyForms) {
  for (BytesView oid : {gramine_legacy_oid(), intel_legacy_oid()}) {
    x509::Certificate certificate = make_certificate();
    add(certificate, oid, make_quote(report_data_for(kSpki)));
    auto evidence = read_evidence(certificate);
    ASSERT_TRUE(evidence) << evidence.error().message();
    EXPECT_EQ(evidence->format, Format::gramine_legacy);
    EXPECT_FALSE(evidence->claims);
    EXPECT_EQ(binding_code(certificate), Code::ok);
  }
}

TEST(ReadEvidence, LetsDiceDecideOverLegacy) {
  x509::Certificate certificate = make_certificate();
  add(certificate, gramine_legacy_oid(), make_quote(report_data_for(kSpki)));
  add(certificate, dice_oid(), make_dice());
  auto evidence = read_evidence(certificate);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(evidence->format, Format::dice);
  EXPECT_EQ(evidence->quote.report_data(), report_data_for(evidence->claims_bytes));
  ASSERT_TRUE(evidence->legacy_quote);
  EXPECT_EQ(evidence->legacy_quote->report_data(), report_data_for(kSpki));
  EXPECT_EQ(binding_code(certificate), Code::ok);
}

TEST(ReadEvidence, RejectsCertificatesWithoutEvidence) {
  x509::Certificate certificate = make_certificate();
  EXPECT_EQ(read_code(certificate), Code::evidence_missing);
  Bytes near(intel_legacy_oid().begin(), intel_legacy_oid().end());
  near.back() = 5;
  add(certificate, near, make_quote(report_data_for(kSpki)));
  // The quote in another place of the certificate is no evidence either.
  add(certificate, *parse_hex("551d11", 3, "oid"), make_dice());
  EXPECT_EQ(read_code(certificate), Code::evidence_missing);
}

TEST(ReadEvidence, RejectsDuplicates) {
  const Bytes quote = make_quote(report_data_for(kSpki));
  for (BytesView oid : {gramine_legacy_oid(), intel_legacy_oid(), dice_oid()}) {
    x509::Certificate certificate = make_certificate();
    const Bytes value = oid.data() == dice_oid().data() ? make_dice() : quote;
    add(certificate, oid, value);
    ASSERT_EQ(read_code(certificate), Code::ok);
    add(certificate, oid, value);
    EXPECT_EQ(read_code(certificate), Code::evidence_duplicate);
  }
  x509::Certificate both = make_certificate();
  add(both, gramine_legacy_oid(), quote);
  add(both, intel_legacy_oid(), quote);
  EXPECT_EQ(read_code(both), Code::evidence_duplicate);
  add(both, dice_oid(), make_dice());
  EXPECT_EQ(read_code(both), Code::evidence_duplicate);
}

Bytes make_session(const SessionExporter& exporter, const Bytes& spki = kSpki,
                   std::uint8_t identity = 1) {
  const Bytes claims = write_claims(spki, kNotAfter, exporter);
  return write_dice(make_quote(report_data_for(claims), identity), claims);
}

SessionExporter exporter_of(std::uint8_t byte) {
  SessionExporter exporter;
  exporter.bytes.fill(byte);
  return exporter;
}

TEST(ReadEvidence, RejectsSessionEvidenceInACertificate) {
  auto certificate = make_certificate();
  add(certificate, dice_oid(), make_session(exporter_of(1)));
  EXPECT_EQ(read_code(certificate), Code::evidence_malformed);
}

TEST(SessionEvidence, IsBoundToOneSessionOfOneServer) {
  auto certificate = make_certificate();
  add(certificate, dice_oid(), make_dice());
  const Evidence own = *read_evidence(certificate);
  const auto code = [&](const Bytes& value) {
    const auto session = read_session_evidence(value);
    if (!session) return session.error().code();
    const auto checked = check_session(*session, own, certificate, exporter_of(1));
    return checked ? Code::ok : checked.error().code();
  };
  EXPECT_EQ(code(make_session(exporter_of(1))), Code::ok);
  EXPECT_EQ(code(make_session(exporter_of(2))), Code::evidence_not_fresh);
  EXPECT_EQ(code(make_session(exporter_of(1), kOtherSpki)), Code::certificate_unbound);
  EXPECT_EQ(code(make_session(exporter_of(1), kSpki, 2)), Code::evidence_conflict);
  // Of the certificate itself: it names no session.
  EXPECT_EQ(code(make_dice()), Code::evidence_malformed);
  EXPECT_EQ(code({}), Code::evidence_malformed);
  // The quote covers other claims.
  const Bytes claims = write_claims(kSpki, kNotAfter, exporter_of(1));
  const Bytes quote = make_quote(report_data_for(write_claims(kSpki, kNotAfter, exporter_of(2))));
  EXPECT_EQ(code(write_dice(quote, claims)), Code::certificate_unbound);
}

TEST(SessionEvidence, WithoutASessionIsNone) {
  auto certificate = make_certificate();
  add(certificate, dice_oid(), make_dice());
  const Evidence own = *read_evidence(certificate);
  const auto checked = check_session(own, own, certificate, {});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), Code::evidence_not_fresh);
}

TEST(FindEndorsements, FindsTheOnlyOne) {
  x509::Certificate certificate = make_certificate();
  EXPECT_EQ(*find_endorsements(certificate), nullptr);
  add(certificate, endorsements_oid(), Bytes{1, 2});
  EXPECT_EQ(**find_endorsements(certificate), (Bytes{1, 2}));
  add(certificate, endorsements_oid(), Bytes{1, 2});
  EXPECT_EQ(find_endorsements(certificate).error().code(), Code::evidence_duplicate);
}

TEST(ReadEvidence, DoesNotFallBackFromBadDice) {
  x509::Certificate certificate = make_certificate();
  add(certificate, gramine_legacy_oid(), make_quote(report_data_for(kSpki)));
  Bytes bad = make_dice();
  bad.pop_back();
  add(certificate, dice_oid(), bad);
  EXPECT_EQ(read_code(certificate), Code::evidence_malformed);
  EXPECT_TRUE(read_evidence(certificate).error().where().starts_with("dice"));
}

TEST(ReadEvidence, RejectsBadQuotesInEitherPlace) {
  x509::Certificate dice = make_certificate();
  add(dice, dice_oid(), write_dice(Bytes(100, 3), write_claims(kSpki, kNotAfter)));
  EXPECT_EQ(exit_code(read_code(dice)), 3);

  for (const Bytes& quote : {Bytes(), Bytes{3}, Bytes(500, 3)}) {
    x509::Certificate legacy = make_certificate();
    add(legacy, gramine_legacy_oid(), quote);
    EXPECT_EQ(exit_code(read_code(legacy)), 3);
    add(legacy, dice_oid(), make_dice());
    EXPECT_EQ(exit_code(read_code(legacy)), 3) << "a bad legacy quote beside good DICE evidence";
  }
}

TEST(CheckBinding, RejectsAnotherKey) {
  x509::Certificate dice = make_certificate();
  add(dice, dice_oid(), make_dice(kOtherSpki));
  EXPECT_EQ(binding_code(dice), Code::certificate_unbound);
  x509::Certificate legacy = make_certificate();
  add(legacy, gramine_legacy_oid(), make_quote(report_data_for(kOtherSpki)));
  EXPECT_EQ(binding_code(legacy), Code::certificate_unbound);
}

TEST(CheckBinding, RejectsClaimsThatTheQuoteDoesNotCover) {
  x509::Certificate certificate = make_certificate();
  add(certificate, dice_oid(),
      write_dice(make_quote(report_data_for(write_claims(kOtherSpki, kNotAfter))),
                 write_claims(kSpki, kNotAfter)));
  EXPECT_EQ(binding_code(certificate), Code::certificate_unbound);
  // A quote of the legacy format in the place of the DICE one.
  x509::Certificate crossed = make_certificate();
  add(crossed, dice_oid(),
      write_dice(make_quote(report_data_for(kSpki)), write_claims(kSpki, kNotAfter)));
  EXPECT_EQ(binding_code(crossed), Code::certificate_unbound);
}

TEST(CheckBinding, ComparesEveryByteOfReportData) {
  const Bytes claims = write_claims(kSpki, kNotAfter);
  for (std::size_t i = 0; i < ReportData::kSize; ++i) {
    ReportData data = report_data_for(claims);
    data.bytes[i] ^= 1;
    x509::Certificate dice = make_certificate();
    add(dice, dice_oid(), write_dice(make_quote(data), claims));
    EXPECT_EQ(binding_code(dice), Code::certificate_unbound) << i;

    data = report_data_for(kSpki);
    data.bytes[i] ^= 1;
    x509::Certificate legacy = make_certificate();
    add(legacy, gramine_legacy_oid(), make_quote(data));
    EXPECT_EQ(binding_code(legacy), Code::certificate_unbound) << i;

    add(legacy, dice_oid(), make_dice());
    EXPECT_EQ(binding_code(legacy), Code::evidence_conflict) << i;
  }
}

TEST(CheckBinding, RejectsALegacyQuoteOfAnotherEnclave) {
  x509::Certificate certificate = make_certificate();
  add(certificate, dice_oid(), make_dice());
  add(certificate, gramine_legacy_oid(), make_quote(report_data_for(kSpki), 2));
  EXPECT_EQ(binding_code(certificate), Code::evidence_conflict);
}

TEST(CheckBinding, ComparesTheWholeLegacyReport) {
  const Bytes good = make_quote(report_data_for(kSpki));
  for (std::size_t i = 48; i < 48 + 384; ++i) {
    Bytes bad = good;
    bad[i] ^= 0x80;
    x509::Certificate certificate = make_certificate();
    add(certificate, dice_oid(), make_dice());
    add(certificate, intel_legacy_oid(), bad);
    EXPECT_EQ(binding_code(certificate), Code::evidence_conflict) << i;
  }
}

TEST(CheckBinding, TakesStrongKeysOnly) {
  using Kind = x509::PublicKeyKind;
  struct Row {
    Kind kind;
    std::size_t rsa_bits;
    Code code;
  };
  for (const Row& row :
       {Row{Kind::p256, 0, Code::ok}, Row{Kind::p384, 0, Code::ok}, Row{Kind::rsa, 3072, Code::ok},
        Row{Kind::rsa, 4096, Code::ok}, Row{Kind::rsa, 3071, Code::key_unsupported},
        Row{Kind::rsa, 2048, Code::key_unsupported}, Row{Kind::rsa, 0, Code::key_unsupported},
        Row{Kind::other, 0, Code::key_unsupported},
        Row{Kind::other, 4096, Code::key_unsupported}}) {
    x509::Certificate certificate = make_certificate();
    certificate.key_kind = row.kind;
    certificate.rsa_bits = row.rsa_bits;
    add(certificate, dice_oid(), make_dice());
    EXPECT_EQ(binding_code(certificate), row.code) << row.rsa_bits;
  }
}

TEST(CheckBinding, RejectsDiceEvidenceWithoutClaims) {
  x509::Certificate certificate = make_certificate();
  add(certificate, dice_oid(), make_dice());
  auto evidence = read_evidence(certificate);
  ASSERT_TRUE(evidence);
  evidence->claims.reset();
  auto bound = check_binding(*evidence, certificate);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code(), Code::evidence_malformed);
}

TEST(Format, HasNames) {
  EXPECT_EQ(to_string(Format::dice), "dice");
  EXPECT_EQ(to_string(Format::gramine_legacy), "gramine-legacy");
}

// What reading and binding alone say of each certificate among the cases. Faults that only
// signatures or times show are accepted here; so is what binds no key in a way that ratls knows.
const std::map<std::string, Code>& wanted_codes() {
  static const std::map<std::string, Code> codes = {
      {"sgx-gramine-konvera-ecdsa384-outofdate", Code::ok},
      {"sgx-gramine-konvera-ecdsa384-swhard", Code::ok},
      {"sgx-gramine-konvera-rsa3072-outofdate", Code::ok},
      {"sgx-gramine-ccc-legacy-outofdate", Code::ok},
      {"sgx-gramine-ccc-dice-outofdate", Code::ok},
      {"sgx-graphene-fedlearner-preprod", Code::ok},
      {"sgx-intel-sgxsdk-dice-cert", Code::ok},
      // These hash PKCS#1 or the bare point instead of the SubjectPublicKeyInfo.
      {"sgx-inclavare-enclave-tls-openssl-outofdate", Code::certificate_unbound},
      {"sgx-cosmian-tee-tools-ratls-outofdatecfg", Code::certificate_unbound},
      {"sgx-cosmian-sgx_quote-cert-outofdatecfg", Code::certificate_unbound},
      {"sgx-cosmian-ratls-2023-outofdate", Code::certificate_unbound},
      {"sgx-sgx-ra-tls-2017-ct3-cert", Code::key_unsupported},
      // These use identifiers of their own.
      {"sgx-oe-cert_rsa_bad-sgxrootcainvalidissuer", Code::evidence_missing},
      {"tdx-dstack-verifier-cert-outofdate", Code::evidence_missing},
      {"tdx-nearai-cert-2026-uptodate", Code::evidence_missing},
      {"tdx-dstack-ra-tls-asset-tcbnotsupported", Code::evidence_missing},
      {"ratls-syn-legacy-p384", Code::ok},
      {"ratls-syn-dice-p384", Code::ok},
      {"ratls-syn-both-p384", Code::ok},
      {"ratls-syn-legacy-rsa3072", Code::ok},
      {"ratls-syn-dice-sha512", Code::ok},
      {"ratls-syn-dice-extra-claims", Code::ok},
      {"ratls-syn-legacy-tdx", Code::ok},
      {"ratls-legacy-critical", Code::ok},
      {"ratls-neg-syn-legacy-otherkey", Code::certificate_unbound},
      {"ratls-neg-syn-dice-otherkey", Code::certificate_unbound},
      {"ratls-neg-syn-dice-claims-swapped", Code::certificate_unbound},
      {"ratls-neg-syn-both-legacy-other", Code::evidence_conflict},
      {"ratls-neg-legacy-empty", Code::quote_malformed},
      {"ratls-neg-legacy-trunc", Code::quote_malformed},
      {"ratls-neg-legacy-octetstring-wrapped", Code::quote_unsupported},
      {"ratls-neg-no-extension", Code::evidence_missing},
      {"ratls-neg-oid-near", Code::evidence_missing},
      {"ratls-neg-legacy-duplicate", Code::evidence_duplicate},
      {"ratls-neg-bad-selfsig", Code::ok},
      {"ratls-neg-expired-cert", Code::ok},
      {"ratls-neg-dice-tag-1", Code::evidence_malformed},
      {"ratls-neg-dice-array1", Code::evidence_malformed},
      {"ratls-neg-dice-trunc", Code::evidence_malformed},
      {"ratls-neg-dice-trailing", Code::evidence_malformed},
      {"ratls-neg-dice-no-pubkey-hash", Code::evidence_malformed},
      {"ratls-neg-dice-claims-notmap", Code::evidence_malformed},
      {"ratls-neg-gramine-real-quote-own-key", Code::certificate_unbound},
      {"ratls-neg-gramine-real-reportdata-bit", Code::certificate_unbound},
      {"ratls-neg-gramine-real-mrenclave-bit", Code::ok},
      {"ratls-neg-gramine-real-truncated-der", Code::certificate_malformed},
  };
  return codes;
}

TEST(EvidenceVectors, CertificatesAreReadAndBoundAsTheCasesSay) {
  const auto dir = testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  std::size_t seen = 0;
  for (const auto& entry : testing::read_cases(*dir)) {
    if (!entry.contains("cert")) continue;
    const std::string id = entry["id"];
    ASSERT_TRUE(wanted_codes().contains(id)) << id;
    auto certificate = x509::parse_certificate(
        testing::read_vector(*dir / entry["cert"].get<std::string>()), Code::certificate_malformed);
    const Code code = certificate ? binding_code(*certificate) : certificate.error().code();
    EXPECT_EQ(describe(code).name, describe(wanted_codes().at(id)).name) << id;
    ++seen;
  }
  EXPECT_EQ(seen, wanted_codes().size());
}

TEST(EvidenceVectors, GraminesCertificateHoldsBothQuotes) {
  const auto dir = testing::vectors_dir();
  if (!dir) GTEST_SKIP() << "the shared vectors are not here";
  const auto folder = *dir / "real/sgx-gramine-ccc-dice-outofdate";
  auto certificate = x509::parse_certificate(testing::read_vector(folder / "cert.der"),
                                             Code::certificate_malformed);
  ASSERT_TRUE(certificate) << certificate.error().message();
  auto evidence = read_evidence(*certificate);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(evidence->format, Format::dice);
  ASSERT_TRUE(evidence->legacy_quote);
  ASSERT_TRUE(evidence->claims);
  EXPECT_FALSE(evidence->claims->not_after) << "Gramine does not bind the validity";
  auto quote = parse_quote(testing::read_vector(folder / "quote.bin"));
  ASSERT_TRUE(quote);
  EXPECT_EQ(evidence->quote.signed_bytes, quote->signed_bytes);
}

}  // namespace
}  // namespace ratls::evidence
