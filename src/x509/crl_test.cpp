// SPDX-License-Identifier: Apache-2.0
#include "x509/crl.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/reader.h"
#include "x509/builder.h"
#include "x509/der.h"

namespace ratls::x509 {
namespace {

Bytes hex(std::string_view text) { return parse_hex(text, 4096, "test").value(); }
UnixTime at(std::string_view text) { return parse_time(text, "test").value(); }
Bytes time(std::string_view text) { return der_tlv(kTagUtcTime, as_bytes(text)); }

const crypto::PrivateKey& ca_key() {
  static const crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  return key;
}

CrlSpec spec() {
  CrlSpec out;
  out.issuer = {{"CN", "Test CA"}, {"C", "US"}};
  out.this_update = at("2024-01-01T00:00:00Z");
  out.next_update = at("2024-01-31T00:00:00Z");
  out.crl_number = 300;
  return out;
}

Certificate certificate(const Bytes& serial, const std::string& subject = "Test CA") {
  CertificateSpec out;
  out.serial = serial;
  out.issuer = spec().issuer;
  out.subject = {{"CN", subject}, {"C", "US"}};
  out.not_before = at("2024-01-01T00:00:00Z");
  out.not_after = at("2044-01-01T00:00:00Z");
  out.subject_spki = ca_key().spki_der().value();
  return parse_certificate(build_certificate(out, ca_key()).value(), Code::internal).value();
}

crypto::P256PublicKey ca_public_key() { return p256_key(certificate({1}), Code::internal).value(); }

Crl built(const CrlSpec& wanted) {
  return parse_crl(build_crl(wanted, ca_key()).value(), "test").value();
}

TEST(ParseCrl, ReadsWhatTheBuilderWrites) {
  CrlSpec wanted = spec();
  wanted.revoked_serials = {{9}, {1, 2, 3}, {7}};
  const Crl crl = built(wanted);
  EXPECT_EQ(crl.issuer, certificate({1}).subject);
  EXPECT_EQ(crl.this_update, wanted.this_update);
  EXPECT_EQ(crl.next_update, wanted.next_update);
  EXPECT_EQ(crl.revoked_serials, (std::vector<Bytes>{{1, 2, 3}, {7}, {9}}));
  ASSERT_TRUE(crl.crl_number);
  EXPECT_EQ(to_hex(*crl.crl_number), "012c");
}

TEST(ParseCrl, ReadsPemToo) {
  const Bytes der = build_crl(spec(), ca_key()).value();
  const std::string pem = to_pem(der, "X509 CRL");
  EXPECT_EQ(parse_crl(as_bytes(pem), "test").value().tbs, parse_crl(der, "test").value().tbs);
  EXPECT_FALSE(parse_crl(as_bytes(pem + pem), "test"));
  EXPECT_FALSE(parse_crl(as_bytes(to_pem(der, "CERTIFICATE")), "test"));
}

TEST(CrlRevokes, FindsTheSerialsOnly) {
  CrlSpec wanted = spec();
  wanted.revoked_serials = {{9}, {1, 2, 3}};
  const Crl crl = built(wanted);
  EXPECT_TRUE(crl.revokes(certificate({9})));
  EXPECT_TRUE(crl.revokes(certificate({1, 2, 3})));
  for (const Bytes& other : std::vector<Bytes>{{8}, {1, 2}, {1, 2, 3, 0}, {9, 0}, {1, 2, 4}}) {
    EXPECT_FALSE(crl.revokes(certificate(other)));
  }
  EXPECT_FALSE(built(spec()).revokes(certificate({9})));
}

// The sign's zero and zeros in front of the number must not hide a certificate from its list.
TEST(CrlRevokes, ComparesNumbersWithLeadingZeros) {
  CrlSpec wanted = spec();
  wanted.revoked_serials = {{0x80, 0x01}, {0, 0, 5}};
  const Crl crl = built(wanted);
  EXPECT_TRUE(crl.revokes(certificate({0x80, 0x01})));
  EXPECT_TRUE(crl.revokes(certificate({0, 0x80, 0x01})));
  EXPECT_TRUE(crl.revokes(certificate({5})));
  EXPECT_TRUE(crl.revokes(certificate({0, 5})));
  EXPECT_EQ(to_hex(certificate({0, 0x80, 0x01}).serial), "008001");
  EXPECT_FALSE(crl.revokes(certificate({0x80})));
}

TEST(CrlSignedBy, AcceptsItsIssuerOnly) {
  const Bytes der = build_crl(spec(), ca_key()).value();
  const Crl crl = parse_crl(der, "test").value();
  EXPECT_TRUE(signed_by(crl, certificate({1}), ca_public_key()));
  EXPECT_FALSE(signed_by(crl, certificate({1}, "Other CA"), ca_public_key()));

  const auto other = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  const Crl foreign = parse_crl(build_crl(spec(), other).value(), "test").value();
  EXPECT_FALSE(signed_by(foreign, certificate({1}), ca_public_key()));
  const auto other_public = crypto::P256PublicKey::from_point(other.public_point().value()).value();
  EXPECT_FALSE(signed_by(foreign, certificate({1}), other_public));
}

TEST(CrlSignedBy, RefusesEveryFlippedByte) {
  CrlSpec wanted = spec();
  wanted.revoked_serials = {{9}};
  const Bytes der = build_crl(wanted, ca_key()).value();
  const Certificate issuer = certificate({1});
  const crypto::P256PublicKey key = ca_public_key();
  for (std::size_t i = 0; i < der.size(); ++i) {
    Bytes flipped = der;
    flipped[i] ^= 0x01;
    const auto crl = parse_crl(flipped, "test");
    if (crl) {
      EXPECT_FALSE(signed_by(*crl, issuer, key)) << i;
    } else {
      EXPECT_EQ(crl.error().code(), Code::crl_malformed);
    }
  }
}

TEST(CrlSignedBy, RefusesAnotherAlgorithm) {
  Crl crl = built(spec());
  crl.signature_algorithm = oid_from_text("1.2.840.10045.4.3.3");
  EXPECT_FALSE(signed_by(crl, certificate({1}), ca_public_key()));
}

Bytes extension(std::string_view oid, std::string_view critical, std::string_view value) {
  return der_sequence({der_oid(oid_from_text(oid)), hex(critical), der_octet_string(hex(value))});
}
Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}
Bytes list_extensions(std::initializer_list<Bytes> list) {
  return der_tlv(context_constructed(0), der_sequence(list));
}
// The two that every list has (RFC 5280 5.2.1 and 5.2.3).
Bytes number() { return extension("2.5.29.20", "", "020105"); }
Bytes key_id() { return extension("2.5.29.35", "", "3003800155"); }

// The elements of a list, each of which a test may replace; the signature is no real one.
struct Parts {
  Bytes version = der_integer(1);
  Bytes algorithm = der_sequence({der_oid(oid_from_text("1.2.840.10045.4.3.2"))});
  Bytes issuer = der_sequence({});
  Bytes this_update = time("240101000000Z");
  Bytes next_update = time("240131000000Z");
  Bytes entries = der_sequence({entry(der_integer(5), {})});
  Bytes extensions = list_extensions({number(), key_id()});
  Bytes after_extensions;
  Bytes outer_algorithm = algorithm;
  Bytes signature = hex("030200aa");
  Bytes after_all;

  static Bytes entry(const Bytes& serial, const Bytes& entry_extensions) {
    return der_sequence({serial, time("240101000000Z"), entry_extensions});
  }
  Bytes der() const {
    const Bytes tbs = der_sequence({version, algorithm, issuer, this_update, next_update, entries,
                                    extensions, after_extensions});
    Bytes out = der_sequence({tbs, outer_algorithm, signature});
    out.insert(out.end(), after_all.begin(), after_all.end());
    return out;
  }
};

void expect_refused(std::string_view what, const std::function<void(Parts&)>& change) {
  Parts parts;
  ASSERT_TRUE(parse_crl(parts.der(), "test"));
  change(parts);
  const auto crl = parse_crl(parts.der(), "pck_crl");
  ASSERT_FALSE(crl) << what;
  EXPECT_EQ(crl.error().code(), Code::crl_malformed) << what;
  EXPECT_TRUE(crl.error().where().starts_with("pck_crl")) << what;
}

void expect_accepted(std::string_view what, const std::function<void(Parts&)>& change) {
  Parts parts;
  change(parts);
  const auto crl = parse_crl(parts.der(), "test");
  EXPECT_TRUE(crl) << what;
}

TEST(ParseCrl, RefusesOtherVersions) {
  expect_refused("absent, version 1", [](Parts& p) { p.version = {}; });
  expect_refused("0", [](Parts& p) { p.version = der_integer(0); });
  expect_refused("2", [](Parts& p) { p.version = der_integer(2); });
}

TEST(ParseCrl, RefusesMissingNextUpdate) {
  expect_refused("nextUpdate", [](Parts& p) { p.next_update = {}; });
  expect_refused("nextUpdate, no entries", [](Parts& p) { p.next_update = p.entries = {}; });
}

TEST(ParseCrl, RefusesMalformedTimes) {
  expect_refused("this", [](Parts& p) { p.this_update = time("240132000000Z"); });
  expect_refused("next", [](Parts& p) { p.next_update = time("2401310000Z"); });
  expect_refused("entry", [](Parts& p) {
    p.entries = der_sequence({der_sequence({der_integer(5), time("240132000000Z")})});
  });
}

TEST(ParseCrl, RefusesTwoAlgorithms) {
  expect_refused("outside", [](Parts& p) {
    p.outer_algorithm = der_sequence({der_oid(oid_from_text("1.2.840.10045.4.3.3"))});
  });
}

TEST(ParseCrl, RefusesBytesLeftOver) {
  expect_refused("after all", [](Parts& p) { p.after_all = {0}; });
  expect_refused("in the list", [](Parts& p) { p.extensions = hex("0500"); });
  expect_refused("beside the extensions", [](Parts& p) {
    p.extensions =
        der_tlv(context_constructed(0), joined({der_sequence({number(), key_id()}), hex("0500")}));
  });
  expect_refused("after extensions", [](Parts& p) { p.after_extensions = hex("0500"); });
}

TEST(ParseCrl, RefusesMalformedEntries) {
  expect_refused("empty list", [](Parts& p) { p.entries = der_sequence({}); });
  expect_refused("empty entry", [](Parts& p) { p.entries = der_sequence({der_sequence({})}); });
  for (std::string_view serial : {"020100", "0201ff", "02020005", "0200"}) {
    expect_refused(serial,
                   [&](Parts& p) { p.entries = der_sequence({Parts::entry(hex(serial), {})}); });
  }
  expect_refused("left over", [](Parts& p) {
    p.entries = der_sequence({Parts::entry(der_integer(5), hex("0500"))});
  });
}

TEST(ParseCrl, JudgesExtensionsOfEntries) {
  const auto with = [](std::initializer_list<Bytes> list) {
    return [extensions = der_sequence(list)](Parts& p) {
      p.entries = der_sequence({Parts::entry(der_integer(5), extensions)});
    };
  };
  expect_accepted("reason", with({extension("2.5.29.21", "", "0a0101")}));
  expect_accepted("critical reason", with({extension("2.5.29.21", "0101ff", "0a0101")}));
  expect_accepted("unknown", with({extension("1.2.3", "", "")}));
  expect_refused("critical unknown", with({extension("1.2.3", "0101ff", "")}));
  expect_refused("critical certificateIssuer", with({extension("2.5.29.29", "0101ff", "3000")}));
  expect_refused(
      "twice", with({extension("2.5.29.21", "", "0a0101"), extension("2.5.29.21", "", "0a0101")}));
  expect_refused("empty", with({}));
  expect_refused("left over", [](Parts& p) {
    const Bytes reason = der_sequence({extension("2.5.29.21", "", "0a0101")});
    p.entries = der_sequence({Parts::entry(der_integer(5), joined({reason, hex("0500")}))});
  });
}

TEST(ParseCrl, JudgesExtensionsOfTheList) {
  const auto with = [](std::initializer_list<Bytes> list) {
    return [extensions = list_extensions(list)](Parts& p) { p.extensions = extensions; };
  };
  expect_accepted("unknown", with({number(), key_id(), extension("1.2.3", "", "")}));
  expect_accepted("number 0", with({key_id(), extension("2.5.29.20", "", "020100")}));
  expect_accepted("critical number", with({key_id(), extension("2.5.29.20", "0101ff", "020105")}));
  expect_refused("no number", with({key_id()}));
  expect_refused("no key identifier", with({number()}));
  expect_refused("no extensions", [](Parts& p) { p.extensions = {}; });
  for (const auto& [what, critical] :
       {std::pair("unknown", extension("1.2.3", "0101ff", "")),
        std::pair("issuing distribution point", extension("2.5.29.28", "0101ff", "3000")),
        std::pair("delta", extension("2.5.29.27", "0101ff", "020101"))}) {
    expect_refused(what, with({number(), key_id(), critical}));
  }
  for (const std::string& bad :
       {std::string("0201ff"), std::string("02010500"), "0215" + std::string(42, '1')}) {
    expect_refused(bad, with({key_id(), extension("2.5.29.20", "", bad)}));
  }
  const Bytes unknown = extension("1.2.3", "", "");
  expect_refused("twice", with({number(), key_id(), unknown, unknown}));
  expect_refused("empty", with({}));
}

TEST(ParseCrl, RefusesEveryTruncation) {
  const Bytes whole = build_crl(spec(), ca_key()).value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(parse_crl(BytesView(whole).first(size), "test")) << size;
  }
}

TEST(ParseCrl, RefusesTooLarge) {
  const auto with_extension_of = [](std::size_t size) {
    return [size](Parts& p) {
      const Bytes large =
          der_sequence({der_oid(oid_from_text("1.2.3")), der_octet_string(Bytes(size, 0))});
      p.extensions = list_extensions({number(), key_id(), large});
    };
  };
  expect_accepted("fits", with_extension_of(kMaxCrlSize - 1000));
  expect_refused("too large", with_extension_of(kMaxCrlSize));
}

}  // namespace
}  // namespace ratls::x509
