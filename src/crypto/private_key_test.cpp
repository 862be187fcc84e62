// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include <thread>

#include "base/reader.h"
#include "crypto/crypto.h"
#include "crypto/openssl_objects.h"

namespace ratls::crypto {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string pkcs8_pem(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, cipher, "password", 8, nullptr, nullptr),
            1);
  return text_of(bio.get());
}

Code refusal(std::string_view pem) {
  const auto key = PrivateKey::from_pem(as_bytes(pem));
  return key ? Code::ok : key.error().code();
}

class EachKeyType : public ::testing::TestWithParam<KeyType> {};

TEST_P(EachKeyType, HasPointOfItsSpki) {
  const auto key = PrivateKey::generate(GetParam()).value();
  EXPECT_EQ(key.type(), GetParam());
  const Bytes point = key.public_point().value();
  const Bytes spki = key.spki_der().value();
  ASSERT_EQ(point.size(), GetParam() == KeyType::p256 ? 64U : 96U);
  ASSERT_GT(spki.size(), point.size() + 1);
  EXPECT_EQ(spki[spki.size() - point.size() - 1], 0x04);
  EXPECT_EQ(to_hex(BytesView(spki).last(point.size())), to_hex(point));
}

TEST_P(EachKeyType, HasTheSpkiThatOpensslWrites) {
  const auto key = PrivateKey::generate(GetParam()).value();
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.native(), &der);
  ASSERT_GT(size, 0);
  EXPECT_EQ(to_hex(key.spki_der().value()), to_hex(BytesView(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
}

TEST_P(EachKeyType, RoundTripsThroughPem) {
  const auto key = PrivateKey::generate(GetParam()).value();
  const Bytes pem = key.to_pem().value();
  EXPECT_TRUE(as_text(pem).starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto read = PrivateKey::from_pem(pem).value();
  EXPECT_EQ(read.type(), GetParam());
  EXPECT_EQ(read.spki_der().value(), key.spki_der().value());
  EXPECT_EQ(read.to_der().value(), key.to_der().value());
}

TEST_P(EachKeyType, IsReadFromSec1) {
  const auto key = PrivateKey::generate(GetParam()).value();
  const Bytes der = key.to_sec1_der().value();
  const unsigned char* position = der.data();
  const PkeyPtr read(
      d2i_PrivateKey(EVP_PKEY_EC, nullptr, &position, static_cast<long>(der.size())));
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(position, der.data() + der.size());
  EXPECT_EQ(EVP_PKEY_eq(read.get(), key.native()), 1);
  // RFC 5915: version 1, then the OCTET STRING; PKCS#8 has version 0.
  EXPECT_EQ(to_hex(BytesView(der).subspan(der[1] < 0x80 ? 2 : 3, 4)), "02010104");
}

TEST_P(EachKeyType, SignsInHalvesOfFixedSize) {
  const auto key = PrivateKey::generate(GetParam()).value();
  const std::size_t size = GetParam() == KeyType::p256 ? 64 : 96;
  // One number in 256 is shorter and needs its zeros.
  for (int i = 0; i < 300; ++i) ASSERT_EQ(key.sign_raw(as_bytes("m")).value().size(), size);
}

INSTANTIATE_TEST_SUITE_P(PrivateKey, EachKeyType, ::testing::Values(KeyType::p256, KeyType::p384));

TEST(PrivateKey, GeneratesAnotherKeyEachTime) {
  EXPECT_NE(PrivateKey::generate(KeyType::p256).value().public_point().value(),
            PrivateKey::generate(KeyType::p256).value().public_point().value());
}

TEST(PrivateKey, SignsWhatThePublicKeyVerifies) {
  const auto key = PrivateKey::generate(KeyType::p256).value();
  const auto verifier = P256PublicKey::from_point(key.public_point().value()).value();
  const Bytes signature = key.sign_raw(as_bytes("message")).value();
  EXPECT_TRUE(verifier.verify(as_bytes("message"), signature));
  EXPECT_FALSE(verifier.verify(as_bytes("massage"), signature));
}

TEST(PrivateKey, SignsFromSeveralThreads) {
  const auto key = PrivateKey::generate(KeyType::p256).value();
  const auto verifier = P256PublicKey::from_point(key.public_point().value()).value();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        EXPECT_TRUE(verifier.verify(as_bytes("m"), key.sign_raw(as_bytes("m")).value()));
      }
    });
  }
}

std::string pem_encoded(const PrivateKey& key, const char* parameter, const char* value) {
  const auto copy = PrivateKey::from_pem(key.to_pem().value()).value();
  EXPECT_EQ(EVP_PKEY_set_utf8_string_param(copy.native(), parameter, value), 1);
  EXPECT_NE(copy.to_der().value(), key.to_der().value());
  return pkcs8_pem(copy.native());
}

TEST_P(EachKeyType, WritesTheWholePointOfACompressedOne) {
  const auto key = PrivateKey::generate(GetParam()).value();
  const std::string pem = pem_encoded(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                      OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED);
  const auto read = PrivateKey::from_pem(as_bytes(pem));
  ASSERT_TRUE(read) << read.error().detail();
  EXPECT_EQ(read->to_der().value(), key.to_der().value());
  EXPECT_EQ(read->spki_der().value(), key.spki_der().value());
}

TEST_P(EachKeyType, RefusesCurveWithoutName) {
  const auto key = PrivateKey::generate(GetParam()).value();
  EXPECT_EQ(refusal(pem_encoded(key, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT)),
            Code::key_unsupported);
}

TEST(PrivateKey, RefusesOtherKeys) {
  EXPECT_EQ(refusal(pkcs8_pem(PkeyPtr(EVP_RSA_gen(2048)).get())), Code::key_unsupported);
  EXPECT_EQ(refusal(pkcs8_pem(PkeyPtr(EVP_EC_gen("secp256k1")).get())), Code::key_unsupported);
  EXPECT_EQ(refusal(pkcs8_pem(PkeyPtr(EVP_EC_gen("P-521")).get())), Code::key_unsupported);
  EXPECT_EQ(refusal(pkcs8_pem(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")).get())),
            Code::key_unsupported);
}

TEST(PrivateKey, RefusesAPublicKey) {
  const auto key = PrivateKey::generate(KeyType::p256).value();
  const BioPtr pem(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PUBKEY(pem.get(), key.native()), 1);
  EXPECT_EQ(refusal(text_of(pem.get())), Code::key_unsupported);
}

TEST(PrivateKey, RefusesEncryptedKeyWithoutAsking) {
  const auto key = PrivateKey::generate(KeyType::p256).value();
  EXPECT_EQ(refusal(pkcs8_pem(key.native(), EVP_aes_256_cbc())), Code::key_unsupported);
}

TEST(PrivateKey, RefusesNonsense) {
  EXPECT_EQ(refusal(""), Code::key_unsupported);
  EXPECT_EQ(refusal("no key"), Code::key_unsupported);
  EXPECT_EQ(refusal("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            Code::key_unsupported);
  EXPECT_EQ(refusal(std::string(100'000, 'A')), Code::key_unsupported);
}

std::string pem_of(BytesView der) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  EXPECT_GT(PEM_write_bio(bio.get(), "PRIVATE KEY", "", der.data(), static_cast<long>(der.size())),
            0);
  return text_of(bio.get());
}

TEST(PrivateKey, RefusesForeignPublicPart) {
  Bytes mixed = PrivateKey::generate(KeyType::p256).value().to_der().value();
  const Bytes other = PrivateKey::generate(KeyType::p256).value().public_point().value();
  std::copy(other.begin(), other.end(), mixed.end() - 64);
  EXPECT_EQ(refusal(pem_of(mixed)), Code::key_unsupported);
}

TEST(PrivateKey, RefusesNumbersOutsideTheCurve) {
  const Bytes good = PrivateKey::generate(KeyType::p256).value().to_der().value();
  // What follows the private number is 5 bytes and the point of 64 (RFC 5915 3).
  const auto with_number = [&](std::uint8_t digit) {
    Bytes der = good;
    std::fill_n(der.end() - 5 - 64 - 32, 32, digit);
    return refusal(pem_of(der));
  };
  ASSERT_EQ(refusal(pem_of(good)), Code::ok);
  EXPECT_EQ(with_number(0x00), Code::key_unsupported);
  EXPECT_EQ(with_number(0xFF), Code::key_unsupported);
}

/// pkcs8_of puts a key of RFC 5915 behind the name of a curve, of either length below 256.
std::string pkcs8_of(const std::string& curve_oid, const Bytes& sec1) {
  const auto with_length = [](std::uint8_t tag, const Bytes& content) {
    Bytes out{tag, 0x81, static_cast<std::uint8_t>(content.size())};
    out.insert(out.end(), content.begin(), content.end());
    return out;
  };
  Bytes content = parse_hex("020100", 3, "version").value();
  const Bytes oids = parse_hex("06072a8648ce3d0201" + curve_oid, 64, "algorithm").value();
  for (const Bytes& part : {with_length(0x30, oids), with_length(0x04, sec1)}) {
    content.insert(content.end(), part.begin(), part.end());
  }
  return pem_of(with_length(0x30, content));
}

constexpr const char* kP256Oid = "06082a8648ce3d030107";
constexpr const char* kP384Oid = "06052b81040022";

// The group's generator belongs to 1, and to 1 more than its order (SEC 2 2.4.2).
TEST(PrivateKey, RefusesANumberAboveTheOrder) {
  const auto of_number = [](const std::string& number) {
    const std::string point =
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    return refusal(pkcs8_of(
        kP256Oid,
        parse_hex("306b0201010420" + number + "a14403420004" + point, 128, "key").value()));
  };
  EXPECT_EQ(of_number(std::string(63, '0') + "1"), Code::ok);
  EXPECT_EQ(of_number("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"),
            Code::key_unsupported);
}

TEST(PrivateKey, RefusesAKeyOnAnotherCurveThanItsName) {
  const Bytes p256 = PrivateKey::generate(KeyType::p256).value().to_sec1_der().value();
  const Bytes p384 = PrivateKey::generate(KeyType::p384).value().to_sec1_der().value();
  EXPECT_EQ(refusal(pkcs8_of(kP256Oid, p256)), Code::ok);
  EXPECT_EQ(refusal(pkcs8_of(kP384Oid, p384)), Code::ok);
  EXPECT_EQ(refusal(pkcs8_of(kP256Oid, p384)), Code::key_unsupported);
  EXPECT_EQ(refusal(pkcs8_of(kP384Oid, p256)), Code::key_unsupported);
}

TEST(PrivateKey, LeavesNoErrorsInTheQueue) {
  ERR_clear_error();
  EXPECT_FALSE(PrivateKey::from_pem(as_bytes("no key")));
  const auto key = PrivateKey::generate(KeyType::p256).value();
  ASSERT_TRUE(PrivateKey::from_pem(key.to_pem().value()));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace ratls::crypto
