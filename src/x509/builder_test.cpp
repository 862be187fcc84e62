// SPDX-License-Identifier: Apache-2.0
#include "x509/builder.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/reader.h"
#include "support/openssl_fields.h"
#include "x509/algorithms.h"
#include "x509/der.h"

namespace ratls::x509 {
namespace {

using testing::fields_by_openssl;
using testing::fields_of;
using testing::openssl_understands_extensions;

Bytes copy_of(BytesView view) { return Bytes(view.begin(), view.end()); }
Bytes hex(std::string_view text) { return parse_hex(text, 4096, "test").value(); }
UnixTime at(std::string_view text) { return parse_time(text, "test").value(); }

const crypto::PrivateKey& key_of(crypto::KeyType type) {
  static const auto p256 = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  static const auto p384 = crypto::PrivateKey::generate(crypto::KeyType::p384).value();
  return type == crypto::KeyType::p256 ? p256 : p384;
}
const crypto::PrivateKey& p256_private() { return key_of(crypto::KeyType::p256); }

CertificateSpec spec() {
  CertificateSpec out;
  out.serial = {0x00, 0x80, 0x01};
  out.subject = {{"CN", "subject"}, {"O", "Example"}, {"C", "US"}};
  out.issuer = {{"CN", "issuer"}, {"L", "Here"}, {"ST", "There"}};
  out.not_before = at("2024-03-13T00:00:00Z");
  out.not_after = at("2049-12-31T23:59:59Z");
  out.subject_spki = p256_private().spki_der().value();
  return out;
}

Certificate built(const CertificateSpec& wanted, const crypto::PrivateKey& key = p256_private()) {
  return parse_certificate(build_certificate(wanted, key).value(), Code::certificate_malformed)
      .value();
}

void expect_internal(const CertificateSpec& wanted) {
  const auto result = build_certificate(wanted, p256_private());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::internal);
}

TEST(BuildCertificate, RoundTripsThroughTheParser) {
  CertificateSpec wanted = spec();
  const Oid gramine = hex("06092a864886f84d8a3906");
  wanted.extensions = {basic_constraints(true, std::uint8_t{1}),
                       key_usage(1U << 5 | 1U << 6),
                       server_auth(),
                       subject_alt_names({"localhost", "127.0.0.1", "::1", "a.example"}),
                       {gramine, false, hex("aabbcc")},
                       {oid_from_text("1.2.3"), true, {}}};
  const Certificate certificate = built(wanted);
  EXPECT_EQ(to_hex(certificate.serial), "008001");
  EXPECT_EQ(certificate.subject_common_name, "subject");
  EXPECT_EQ(certificate.issuer_common_name, "issuer");
  EXPECT_EQ(certificate.not_before, wanted.not_before);
  EXPECT_EQ(certificate.not_after, wanted.not_after);
  EXPECT_EQ(certificate.spki, wanted.subject_spki);
  EXPECT_EQ(certificate.is_ca, true);
  EXPECT_EQ(certificate.path_length, 1);
  EXPECT_EQ(certificate.key_usage, 1U << 5 | 1U << 6);
  EXPECT_EQ(*certificate.extended_key_usage, std::vector<Oid>{oid_from_text("1.3.6.1.5.5.7.3.1")});
  EXPECT_EQ(certificate.dns_names, (std::vector<std::string>{"localhost", "a.example"}));
  EXPECT_EQ(certificate.ip_addresses, (std::vector<std::string>{"127.0.0.1", "::1"}));
  ASSERT_EQ(certificate.extensions.size(), 6U);
  EXPECT_EQ(certificate.extensions[4].oid, gramine);
  EXPECT_EQ(to_hex(certificate.extensions[4].value), "aabbcc");
  EXPECT_FALSE(certificate.extensions[4].critical);
  EXPECT_TRUE(certificate.extensions[5].critical);
}

TEST(BuildCertificate, IsReadTheSameByOpenssl) {
  CertificateSpec wanted = spec();
  wanted.extensions = {basic_constraints(true, std::nullopt),
                       key_usage(1U << 0 | 1U << 8),
                       subject_alt_names({"localhost"}),
                       subject_key_identifier(wanted.subject_spki),
                       authority_key_identifier(wanted.subject_spki),
                       crl_distribution_point("https://example.test/crl"),
                       {hex("06092a864886f84d8a3906"), false, hex("aabbcc")}};
  for (std::string_view end : {"2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z"}) {
    wanted.not_after = at(end);
    const Certificate certificate = built(wanted);
    EXPECT_EQ(fields_of(certificate), fields_by_openssl(certificate.der));
    EXPECT_TRUE(openssl_understands_extensions(certificate.der));
  }
}

TEST(BuildCertificate, WritesGeneralizedTimeFrom2050) {
  CertificateSpec wanted = spec();
  const auto contains = [](const Bytes& der, std::string_view text) {
    return as_text(der).find(text) != std::string_view::npos;
  };
  EXPECT_TRUE(contains(built(wanted).der,
                       "\x17\x0d"
                       "491231235959Z"));
  wanted.not_after = at("2050-01-01T00:00:00Z");
  EXPECT_TRUE(contains(built(wanted).der,
                       "\x18\x0f"
                       "20500101000000Z"));
  EXPECT_EQ(built(wanted).not_after, wanted.not_after);
  wanted.not_after = at("9999-12-31T23:59:59Z");
  EXPECT_EQ(built(wanted).not_after, wanted.not_after);
}

TEST(BuildCertificate, RefusesWhatCannotBeWritten) {
  const auto changed = [](auto change) {
    CertificateSpec wanted = spec();
    change(wanted);
    return wanted;
  };
  expect_internal(changed([](auto& s) { s.serial = {}; }));
  expect_internal(changed([](auto& s) { s.serial = {0, 0}; }));
  expect_internal(changed([](auto& s) { s.serial = Bytes(21, 1); }));
  expect_internal(changed([](auto& s) { s.subject = {{"XX", "unknown"}}; }));
  expect_internal(changed([](auto& s) { s.issuer = {{"CN", ""}}; }));
  expect_internal(changed([](auto& s) { s.subject_spki = {}; }));
  expect_internal(
      changed([](auto& s) { s.not_before = UnixTime(std::chrono::seconds(-700000000)); }));
  expect_internal(
      changed([](auto& s) { s.not_after = UnixTime(std::chrono::seconds(253402300800)); }));
}

TEST(SignedBy, AcceptsTheIssuerOnly) {
  CertificateSpec root_spec = spec();
  root_spec.subject = root_spec.issuer;
  const Certificate root = built(root_spec);
  const auto key = p256_key(root, Code::internal).value();
  const Certificate leaf = built(spec());
  EXPECT_TRUE(signed_by(leaf, root, key));
  EXPECT_TRUE(signed_by(root, root, key));

  CertificateSpec other_name = spec();
  other_name.issuer = {{"CN", "other"}};
  EXPECT_FALSE(signed_by(built(other_name), root, key));

  const auto other = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  EXPECT_FALSE(signed_by(built(spec(), other), root, key));
  // The key has to be the one of the issuer's certificate.
  const auto other_key = crypto::P256PublicKey::from_point(other.public_point().value()).value();
  EXPECT_FALSE(signed_by(built(spec(), other), root, other_key));
}

TEST(SignedBy, RefusesOtherAlgorithmsAndKeys) {
  CertificateSpec wanted = spec();
  wanted.subject = wanted.issuer;
  Certificate root = built(wanted);
  const auto key = p256_key(root, Code::internal).value();
  Certificate leaf = built(spec());
  leaf.signature_algorithm = copy_of(kOidEcdsaSha384);
  EXPECT_FALSE(signed_by(leaf, root, key));
  root.key_kind = PublicKeyKind::p384;
  EXPECT_FALSE(signed_by(built(spec()), root, key));
}

TEST(SignedBy, RefusesEveryFlippedByte) {
  CertificateSpec wanted = spec();
  wanted.subject = wanted.issuer;
  const Certificate root = built(wanted);
  const auto key = p256_key(root, Code::internal).value();
  const Bytes der = build_certificate(spec(), p256_private()).value();
  for (std::size_t i = 0; i < der.size(); ++i) {
    Bytes flipped = der;
    flipped[i] ^= 0x01;
    const auto certificate = parse_certificate(flipped, Code::certificate_malformed);
    if (certificate) {
      EXPECT_FALSE(signed_by(*certificate, root, key)) << i;
    }
  }
}

Bytes ecdsa_with_sha384(const Bytes& message, const crypto::PrivateKey& key) {
  const Bytes der = key.to_der().value();
  const unsigned char* position = der.data();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> native(
      d2i_AutoPrivateKey(nullptr, &position, static_cast<long>(der.size())), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  Bytes signature(160);
  std::size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, native.get()), 1);
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()),
            1);
  signature.resize(size);
  return signature;
}

// The builder knows SHA-256 only: its identifier inside of what is signed differs in one byte.
TEST(SelfSignatureValid, TakesAP256KeyWithAnotherHash) {
  Bytes tbs = built(spec()).tbs;
  const auto oid =
      std::search(tbs.begin(), tbs.end(), kOidEcdsaSha256.begin(), kOidEcdsaSha256.end());
  ASSERT_NE(oid, tbs.end());
  std::ranges::copy(kOidEcdsaSha384, oid);
  Bytes signature = ecdsa_with_sha384(tbs, p256_private());
  signature.insert(signature.begin(), 0);  // no unused bits
  const Bytes der = der_sequence(
      {tbs, der_sequence({der_oid(copy_of(kOidEcdsaSha384))}), der_tlv(kTagBitString, signature)});
  Certificate certificate = parse_certificate(der, Code::certificate_malformed).value();
  EXPECT_TRUE(self_signature_valid(certificate));
  certificate.tbs.back() ^= 1;
  EXPECT_FALSE(self_signature_valid(certificate));
}

TEST(SelfSignatureValid, AcceptsTheOwnKeyOnly) {
  for (crypto::KeyType type : {crypto::KeyType::p256, crypto::KeyType::p384}) {
    CertificateSpec wanted = spec();
    wanted.subject_spki = key_of(type).spki_der().value();
    Certificate certificate = built(wanted, key_of(type));
    EXPECT_TRUE(self_signature_valid(certificate));
    Certificate changed = certificate;
    changed.tbs.back() ^= 1;
    EXPECT_FALSE(self_signature_valid(changed));
    changed = certificate;
    changed.signature.back() ^= 1;
    EXPECT_FALSE(self_signature_valid(changed));
    changed = certificate;
    changed.signature_algorithm = copy_of(kOidRsaSha256);
    EXPECT_FALSE(self_signature_valid(changed));
    changed.signature_algorithm = oid_from_text("1.2.3");
    EXPECT_FALSE(self_signature_valid(changed));
    changed = certificate;
    changed.key_kind = PublicKeyKind::other;
    EXPECT_FALSE(self_signature_valid(changed));
  }
  CertificateSpec foreign = spec();
  foreign.subject_spki = key_of(crypto::KeyType::p384).spki_der().value();
  EXPECT_FALSE(self_signature_valid(built(foreign)));
  Certificate pointless = built(spec());
  pointless.ec_point.assign(64, 0);
  EXPECT_FALSE(self_signature_valid(pointless));
}

TEST(P256Key, RefusesOtherKeysWithTheCallersCode) {
  CertificateSpec wanted = spec();
  wanted.subject_spki = key_of(crypto::KeyType::p384).spki_der().value();
  EXPECT_EQ(p256_key(built(wanted), Code::tcb_chain_malformed).error().code(),
            Code::tcb_chain_malformed);
  Certificate off_curve = built(spec());
  off_curve.ec_point.back() ^= 1;
  EXPECT_EQ(p256_key(off_curve, Code::tcb_chain_malformed).error().code(),
            Code::tcb_chain_malformed);
}

TEST(Der, WritesShortestForms) {
  EXPECT_EQ(to_hex(der_integer(0)), "020100");
  EXPECT_EQ(to_hex(der_integer(127)), "02017f");
  EXPECT_EQ(to_hex(der_integer(128)), "02020080");
  EXPECT_EQ(to_hex(der_integer(~std::uint64_t{0})), "020900ffffffffffffffff");
  EXPECT_EQ(to_hex(der_octet_string(Bytes(127, 0))).substr(0, 6), "047f00");
  EXPECT_EQ(to_hex(der_octet_string(Bytes(128, 0))).substr(0, 8), "04818000");
  EXPECT_EQ(to_hex(der_octet_string(Bytes(256, 0))).substr(0, 10), "0482010000");
  EXPECT_EQ(to_hex(der_sequence({der_integer(1), der_oid(hex("2a"))})), "300602010106012a");
  EXPECT_EQ(to_hex(der_sequence({})), "3000");
}

TEST(KeyUsage, WritesNamedBits) {
  EXPECT_EQ(to_hex(key_usage(1U << 0).value), "03020780");
  EXPECT_EQ(to_hex(key_usage(1U << 5 | 1U << 6).value), "03020106");
  EXPECT_EQ(to_hex(key_usage(1U << 8).value), "0303070080");
  EXPECT_TRUE(key_usage(1).critical);
}

TEST(BasicConstraints, LeavesOutDefaults) {
  EXPECT_EQ(to_hex(basic_constraints(false, std::nullopt).value), "3000");
  EXPECT_EQ(to_hex(basic_constraints(false, std::uint8_t{1}).value), "3000");
  EXPECT_EQ(to_hex(basic_constraints(true, std::nullopt).value), "30030101ff");
  EXPECT_EQ(to_hex(basic_constraints(true, std::uint8_t{0}).value), "30060101ff020100");
}

}  // namespace
}  // namespace ratls::x509
