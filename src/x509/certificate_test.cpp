// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/reader.h"
#include "x509/builder.h"
#include "x509/der.h"

namespace ratls::x509 {
namespace {

constexpr Code kCode = Code::certificate_malformed;

Bytes hex(std::string_view text) { return parse_hex(text, 4096, "test").value(); }
Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

const crypto::PrivateKey& signing_key() {
  static const crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  return key;
}

Bytes ecdsa_sha256() { return der_sequence({der_oid(oid_from_text("1.2.840.10045.4.3.2"))}); }
Bytes time(std::string_view text) { return der_tlv(kTagUtcTime, as_bytes(text)); }
Bytes name(std::string_view common_name) {
  return der_sequence(
      {der_tlv(kTagSet, der_sequence({der_oid(oid_from_text("2.5.4.3")),
                                      der_tlv(kTagUtf8String, as_bytes(common_name))}))});
}
Bytes extension(std::string_view oid, const Bytes& value) {
  return der_sequence({der_oid(oid_from_text(oid)), der_octet_string(value)});
}
Bytes extensions(std::initializer_list<Bytes> list) {
  return der_tlv(context_constructed(3), der_sequence(list));
}

// The elements of a certificate, each of which a test may replace. The signature is no real one:
// parsing does not look at it.
struct Parts {
  Bytes version = hex("a003020102");
  Bytes serial = der_integer(1);
  Bytes inner_algorithm = ecdsa_sha256();
  Bytes issuer = name("issuer");
  Bytes validity = der_sequence({time("240101000000Z"), time("250101000000Z")});
  Bytes subject = name("subject");
  Bytes spki = signing_key().spki_der().value();
  Bytes after_spki;
  Bytes outer_algorithm = ecdsa_sha256();
  Bytes signature = hex("030200aa");
  Bytes after_signature;
  Bytes after_all;

  Bytes der() const {
    const Bytes tbs = der_sequence(
        {version, serial, inner_algorithm, issuer, validity, subject, spki, after_spki});
    return joined({der_sequence({tbs, outer_algorithm, signature, after_signature}), after_all});
  }
};

Result<Certificate> parse(const Parts& parts) { return parse_certificate(parts.der(), kCode); }

void expect_refused(const std::function<void(Parts&)>& change, std::string_view what) {
  Parts parts;
  ASSERT_TRUE(parse(parts));
  change(parts);
  const auto result = parse(parts);
  ASSERT_FALSE(result) << what;
  EXPECT_EQ(result.error().code(), kCode) << what;
}

void expect_extension_refused(std::string_view oid, std::string_view value) {
  expect_refused([&](Parts& p) { p.after_spki = extensions({extension(oid, hex(value))}); }, value);
}

Certificate with_extension(std::string_view oid, std::string_view value) {
  Parts parts;
  parts.after_spki = extensions({extension(oid, hex(value))});
  return parse(parts).value();
}

TEST(ParseCertificate, ReadsEveryField) {
  Parts parts;
  parts.serial = hex("02020080");
  const Certificate certificate = parse(parts).value();
  EXPECT_EQ(certificate.der, parts.der());
  EXPECT_EQ(to_hex(certificate.serial), "0080");
  EXPECT_EQ(certificate.issuer, name("issuer"));
  EXPECT_EQ(certificate.subject, name("subject"));
  EXPECT_EQ(certificate.issuer_common_name, "issuer");
  EXPECT_EQ(certificate.subject_common_name, "subject");
  EXPECT_EQ(format_time(certificate.not_before), "2024-01-01T00:00:00Z");
  EXPECT_EQ(format_time(certificate.not_after), "2025-01-01T00:00:00Z");
  EXPECT_EQ(certificate.spki, parts.spki);
  EXPECT_EQ(certificate.key_kind, PublicKeyKind::p256);
  EXPECT_EQ(certificate.ec_point, signing_key().public_point().value());
  EXPECT_EQ(oid_to_text(certificate.signature_algorithm), "1.2.840.10045.4.3.2");
  EXPECT_EQ(to_hex(certificate.signature), "aa");
  EXPECT_TRUE(certificate.extensions.empty());
  EXPECT_FALSE(certificate.is_ca);
  EXPECT_FALSE(certificate.key_usage);
}

TEST(ParseCertificate, GivesTheCallersCode) {
  EXPECT_EQ(parse_certificate({}, Code::tcb_chain_malformed).error().code(),
            Code::tcb_chain_malformed);
}

TEST(ParseCertificate, RefusesOtherVersions) {
  for (std::string_view version : {"", "a003020100", "a003020101", "a003020103", "a00402020002",
                                   "a006020102020102", "8003020102", "020102"}) {
    expect_refused([&](Parts& p) { p.version = hex(version); }, version);
  }
}

TEST(ParseCertificate, RefusesSerialsThatAreNotPositive) {
  for (std::string_view serial : {"020100", "0201ff", "0200", "02020001", "040101"}) {
    expect_refused([&](Parts& p) { p.serial = hex(serial); }, serial);
  }
}

TEST(ParseCertificate, CountsTwentyBytesOfSerial) {
  const std::string twenty(40, '7');
  const std::string high = "80" + std::string(38, '0');
  Parts parts;
  parts.serial = hex("0214" + twenty);
  EXPECT_TRUE(parse(parts));
  parts.serial = hex("021500" + high);
  EXPECT_TRUE(parse(parts));
  expect_refused([&](Parts& p) { p.serial = hex("021577" + twenty); }, "21 bytes");
  expect_refused([&](Parts& p) { p.serial = hex("02160080" + twenty); }, "21 bytes and a sign");
}

TEST(ParseCertificate, RefusesTwoAlgorithms) {
  const Bytes sha384 = der_sequence({der_oid(oid_from_text("1.2.840.10045.4.3.3"))});
  expect_refused([&](Parts& p) { p.inner_algorithm = sha384; }, "inside");
  expect_refused([&](Parts& p) { p.outer_algorithm = sha384; }, "outside");
  expect_refused(
      [](Parts& p) {
        p.inner_algorithm =
            der_sequence({der_oid(oid_from_text("1.2.840.10045.4.3.2")), hex("0500")});
      },
      "other parameters");
}

TEST(ParseCertificate, RefusesBytesLeftOver) {
  expect_refused([](Parts& p) { p.after_all = {0}; }, "after the certificate");
  expect_refused([](Parts& p) { p.after_signature = hex("0500"); }, "after the signature");
  expect_refused([](Parts& p) { p.after_spki = hex("0500"); }, "after the key");
  expect_refused(
      [](Parts& p) {
        p.after_spki = joined({extensions({extension("1.2.3", {})}), hex("0500")});
      },
      "after the extensions");
  expect_refused(
      [](Parts& p) {
        p.after_spki = der_tlv(context_constructed(3),
                               joined({der_sequence({extension("1.2.3", {})}), hex("0500")}));
      },
      "beside the list of extensions");
  expect_refused(
      [](Parts& p) {
        const Bytes content(p.spki.begin() + 2, p.spki.end());
        p.spki = der_tlv(kTagSequence, joined({content, hex("0500")}));
      },
      "beside the key");
  expect_refused(
      [](Parts& p) {
        p.inner_algorithm = p.outer_algorithm =
            der_sequence({der_oid(oid_from_text("1.2.3")), hex("0500"), hex("0500")});
      },
      "two parameters");
}

TEST(ParseCertificate, RefusesMissingParts) {
  const std::vector<std::pair<std::string_view, Bytes Parts::*>> mandatory{
      {"serial", &Parts::serial},
      {"inner algorithm", &Parts::inner_algorithm},
      {"issuer", &Parts::issuer},
      {"validity", &Parts::validity},
      {"subject", &Parts::subject},
      {"spki", &Parts::spki},
      {"outer algorithm", &Parts::outer_algorithm},
      {"signature", &Parts::signature},
  };
  for (const auto& [what, part] : mandatory) {
    expect_refused([part = part](Parts& p) { (p.*part).clear(); }, what);
  }
}

TEST(ParseCertificate, RefusesMalformedValidity) {
  for (std::string_view date : {"240230000000Z", "2401010000Z", "240101000000+0000", ""}) {
    expect_refused(
        [&](Parts& p) {
          p.validity = der_sequence({time(date), time("250101000000Z")});
        },
        date);
    expect_refused(
        [&](Parts& p) {
          p.validity = der_sequence({time("240101000000Z"), time(date)});
        },
        date);
  }
  expect_refused([](Parts& p) { p.validity = der_sequence({time("240101000000Z")}); }, "one date");
  expect_refused(
      [](Parts& p) {
        const Bytes date = time("240101000000Z");
        p.validity = der_sequence({date, date, date});
      },
      "three dates");
}

TEST(ParseCertificate, RefusesSignaturesOfPartialBytes) {
  for (std::string_view signature : {"030201aa", "0300", "040200aa"}) {
    expect_refused([&](Parts& p) { p.signature = hex(signature); }, signature);
  }
}

TEST(ParseCertificate, RefusesMalformedNames) {
  for (std::string_view bad : {"3100", "30023100", "30023000", "3006310403020500",
                               "300731053003060155", "300c310a30080601550c01410500"}) {
    expect_refused([&](Parts& p) { p.issuer = hex(bad); }, bad);
    expect_refused([&](Parts& p) { p.subject = hex(bad); }, bad);
  }
}

TEST(ParseCertificate, AcceptsEmptyNames) {
  Parts parts;
  parts.issuer = parts.subject = hex("3000");
  EXPECT_EQ(parse(parts).value().subject_common_name, "");
}

TEST(ParseCertificate, HidesCommonNamesThatCannotBePrinted) {
  for (const std::string& bad : {std::string("two\nlines"), std::string("nul\0", 4),
                                 std::string("\xC3\xA9"), std::string("\x1B[0m")}) {
    Parts parts;
    parts.subject = name(bad);
    EXPECT_EQ(parse(parts).value().subject_common_name, "");
  }
}

TEST(ParseCertificate, ReadsCommonNamesOfEachTextType) {
  for (const std::uint8_t tag :
       {kTagUtf8String, kTagPrintableString, kTagIa5String, kTagTeletexString}) {
    Parts parts;
    parts.subject =
        der_sequence({der_tlv(kTagSet, der_sequence({der_oid(oid_from_text("2.5.4.3")),
                                                     der_tlv(tag, as_bytes("subject"))}))});
    EXPECT_EQ(parse(parts).value().subject_common_name, "subject") << int(tag);
  }
}

TEST(ParseCertificate, TakesTheFirstCommonName) {
  Parts parts;
  const Bytes first = name("first");
  const Bytes second = name("second");
  parts.subject = der_tlv(kTagSequence, joined({Bytes(first.begin() + 2, first.end()),
                                                Bytes(second.begin() + 2, second.end())}));
  EXPECT_EQ(parse(parts).value().subject_common_name, "first");
}

TEST(ParseCertificate, SkipsUniqueIds) {
  Parts parts;
  parts.after_spki =
      joined({hex("810200aa"), hex("820200bb"), extensions({extension("1.2.3", {})})});
  EXPECT_EQ(parse(parts).value().extensions.size(), 1U);
  expect_refused([](Parts& p) { p.after_spki = hex("820200aa810200bb"); }, "wrong order");
  expect_refused(
      [](Parts& p) {
        p.after_spki = joined({hex("817f"), extensions({extension("1.2.3", {})})});
      },
      "longer than the certificate");
}

Bytes ec_spki(std::string_view curve, const Bytes& key) {
  const Bytes algorithm =
      der_sequence({der_oid(oid_from_text("1.2.840.10045.2.1")), der_oid(oid_from_text(curve))});
  return der_sequence({algorithm, der_tlv(kTagBitString, joined({hex("00"), key}))});
}

PublicKeyKind kind_of(const Bytes& spki) {
  Parts parts;
  parts.spki = spki;
  return parse(parts).value().key_kind;
}

TEST(ParseCertificate, TellsKindsOfKeys) {
  EXPECT_EQ(kind_of(crypto::PrivateKey::generate(crypto::KeyType::p384).value().spki_der().value()),
            PublicKeyKind::p384);
  const Bytes point(65, 0x04);
  EXPECT_EQ(kind_of(ec_spki("1.2.840.10045.3.1.7", point)), PublicKeyKind::p256);
  EXPECT_EQ(kind_of(ec_spki("1.3.132.0.10", point)), PublicKeyKind::other);
  EXPECT_EQ(kind_of(ec_spki("1.2.840.10045.3.1.7", Bytes(33, 0x02))), PublicKeyKind::other);
  EXPECT_EQ(kind_of(ec_spki("1.2.840.10045.3.1.7", Bytes(65, 0x06))), PublicKeyKind::other);
  EXPECT_EQ(kind_of(ec_spki("1.3.132.0.34", point)), PublicKeyKind::other);
}

Bytes rsa_spki(const Bytes& parameters, const Bytes& key) {
  return der_sequence({der_sequence({der_oid(oid_from_text("1.2.840.113549.1.1.1")), parameters}),
                       der_tlv(kTagBitString, joined({hex("00"), key}))});
}

TEST(ParseCertificate, CountsBitsOfRsaKeys) {
  Bytes modulus(385, 0xC5);
  modulus[0] = 0x00;
  Parts parts;
  parts.spki =
      rsa_spki(hex("0500"), der_sequence({der_tlv(kTagInteger, modulus), der_integer(65537)}));
  Certificate certificate = parse(parts).value();
  EXPECT_EQ(certificate.key_kind, PublicKeyKind::rsa);
  EXPECT_EQ(certificate.rsa_bits, 3072U);
  modulus = Bytes(256, 0x40);
  parts.spki =
      rsa_spki(hex("0500"), der_sequence({der_tlv(kTagInteger, modulus), der_integer(65537)}));
  EXPECT_EQ(parse(parts).value().rsa_bits, 2047U);
}

TEST(ParseCertificate, RefusesMalformedRsaKeys) {
  const Bytes good = der_sequence({der_integer(0xC5), der_integer(3)});
  const std::vector<std::pair<Bytes, Bytes>> bad{
      {{}, good},
      {hex("3000"), good},
      {hex("050100"), good},
      {hex("0500"), {}},
      {hex("0500"), joined({good, hex("00")})},
      {hex("0500"), der_sequence({der_integer(0xC5)})},
      {hex("0500"), der_sequence({der_integer(0), der_integer(3)})},
      {hex("0500"), der_sequence({hex("0201c5"), der_integer(3)})},
      {hex("0500"), der_sequence({der_integer(0xC5), der_integer(3), der_integer(3)})},
  };
  for (const auto& [parameters, key] : bad) {
    expect_refused([&, p = parameters, k = key](Parts& parts) { parts.spki = rsa_spki(p, k); },
                   to_hex(key));
  }
}

TEST(ParseCertificate, RefusesMalformedExtensions) {
  for (std::string_view bad :
       {"a300", "a3023000", "a30430023000", "a3093007300506012a0500",
        "a30c300a300806012a0101000400", "a30a3008300606012a010100", "a30c300a300806012a0101010400",
        "a30b3009300706012a04000500", "83093007300506012a0400"}) {
    expect_refused([&](Parts& p) { p.after_spki = hex(bad); }, bad);
  }
}

TEST(ParseCertificate, KeepsUnknownAndDuplicateExtensions) {
  Parts parts;
  const Bytes critical =
      der_sequence({der_oid(oid_from_text("1.2.3")), hex("0101ff"), der_octet_string(hex("aa"))});
  const Bytes odd =
      der_sequence({der_oid(hex("06092a864886f84d8a3906")), der_octet_string(hex("bb"))});
  parts.after_spki = extensions({critical, odd, extension("1.2.3", hex("cc"))});
  const Certificate certificate = parse(parts).value();
  ASSERT_EQ(certificate.extensions.size(), 3U);
  const auto found = certificate.find(oid_from_text("1.2.3"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0]->critical);
  EXPECT_FALSE(found[1]->critical);
  EXPECT_EQ(to_hex(found[1]->value), "cc");
  ASSERT_EQ(certificate.find(hex("06092a864886f84d8a3906")).size(), 1U);
  EXPECT_TRUE(certificate.find(hex("2a864886f84d8a3906")).empty());
}

TEST(ParseCertificate, RefusesDuplicatesOfKnownExtensions) {
  const std::vector<std::pair<std::string_view, std::string_view>> known{
      {"2.5.29.19", "3000"},
      {"2.5.29.15", "03020780"},
      {"2.5.29.37", "300306012a"},
      {"2.5.29.17", "3003820161"}};
  for (const auto& [oid, value] : known) {
    const Bytes one = extension(oid, hex(value));
    Parts parts;
    parts.after_spki = extensions({one});
    ASSERT_TRUE(parse(parts)) << oid;
    expect_refused([&](Parts& p) { p.after_spki = extensions({one, one}); }, oid);
  }
}

TEST(ParseCertificate, ReadsBasicConstraints) {
  EXPECT_EQ(with_extension("2.5.29.19", "3000").is_ca, false);
  EXPECT_EQ(with_extension("2.5.29.19", "30030101ff").is_ca, true);
  const Certificate limited = with_extension("2.5.29.19", "30060101ff020101");
  EXPECT_EQ(limited.is_ca, true);
  EXPECT_EQ(limited.path_length, 1);
  for (std::string_view bad :
       {"", "3003010100", "3003020101", "30060101ff0201ff", "30070101ff02020100",
        "30080101ff0201010500", "300000", "3100", "300301010f"}) {
    expect_extension_refused("2.5.29.19", bad);
  }
}

TEST(ParseCertificate, ReadsKeyUsage) {
  EXPECT_EQ(with_extension("2.5.29.15", "03020780").key_usage, 1U << 0);
  EXPECT_EQ(with_extension("2.5.29.15", "03020106").key_usage, 1U << 5 | 1U << 6);
  EXPECT_EQ(with_extension("2.5.29.15", "0303070080").key_usage, 1U << 8);
  EXPECT_EQ(with_extension("2.5.29.15", "030206c0").key_usage, 3U);
  // Zero bits at the end, as real certificates have them.
  EXPECT_EQ(with_extension("2.5.29.15", "03020080").key_usage, 1U << 0);
  EXPECT_EQ(with_extension("2.5.29.15", "0303008000").key_usage, 1U << 0);
  for (std::string_view bad :
       {"", "0300", "030100", "03020880", "03020781", "03020000", "0303060040", "030400000080",
        "030400800000", "0303088000", "04020780", "030207800500"}) {
    expect_extension_refused("2.5.29.15", bad);
  }
}

TEST(ParseCertificate, ReadsExtendedKeyUsage) {
  const Certificate certificate = with_extension("2.5.29.37", "300606012a06012b");
  ASSERT_TRUE(certificate.extended_key_usage);
  EXPECT_EQ(*certificate.extended_key_usage, (std::vector<Oid>{hex("2a"), hex("2b")}));
  for (std::string_view bad :
       {"", "3000", "30020600", "3003040100", "300306012a00", "3003060180"}) {
    expect_extension_refused("2.5.29.37", bad);
  }
}

TEST(ParseCertificate, ReadsSubjectAltNames) {
  const Certificate certificate = with_extension(
      "2.5.29.17", "30238203612e6287047f0000018710000000000000000000000000000000018604613a2f2f");
  EXPECT_EQ(certificate.dns_names, std::vector<std::string>{"a.b"});
  EXPECT_EQ(certificate.ip_addresses, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_TRUE(with_extension("2.5.29.17", "3004a4023000").dns_names.empty());  // a directoryName
  for (std::string_view bad : {"", "3000", "30028200", "300482026100", "30048202610a", "30038201e9",
                               "3003820120", "300587037f0000", "30028700", "3003020101", "3002a200",
                               "30028900", "30028000", "300382016100"}) {
    expect_extension_refused("2.5.29.17", bad);
  }
}

TEST(ParseCertificate, RefusesTooLarge) {
  Parts parts;
  parts.after_spki = extensions({extension("1.2.3", Bytes(60'000, 0))});
  EXPECT_TRUE(parse(parts));
  expect_refused(
      [](Parts& p) { p.after_spki = extensions({extension("1.2.3", Bytes(66'000, 0))}); }, "66 KB");
}

TEST(ParseCertificate, RefusesEveryTruncation) {
  Parts parts;
  parts.after_spki = extensions({extension("2.5.29.19", hex("30060101ff020101"))});
  const Bytes whole = parts.der();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(parse_certificate(BytesView(whole).first(size), kCode)) << size;
  }
}

// The sanitizers look for what the flips might do; where a certificate still parses, at least one
// of its fields or its signed bytes must be others.
TEST(ParseCertificate, SurvivesEveryFlippedBit) {
  Parts parts;
  parts.after_spki = extensions({extension("2.5.29.19", hex("30060101ff020101")),
                                 extension("2.5.29.15", hex("03020106")),
                                 extension("2.5.29.37", hex("300306012a")),
                                 extension("2.5.29.17", hex("300b8203612e6287047f000001"))});
  const Bytes whole = parts.der();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ 1U << bit % 8);
    const auto result = parse_certificate(flipped, kCode);
    if (result) {
      EXPECT_EQ(result->der, flipped);
    } else {
      EXPECT_EQ(result.error().code(), kCode);
    }
  }
}

}  // namespace
}  // namespace ratls::x509
