// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/x509.h>

#include <thread>

#include "base/reader.h"
#include "crypto/openssl_objects.h"

namespace ratls::crypto {
namespace {

// FIPS 180-4 examples for "abc".
constexpr std::string_view kAbcSha256 =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, MatchesPublishedValues) {
  const BytesView abc = as_bytes("abc");
  EXPECT_EQ(to_hex(sha256(abc)), kAbcSha256);
  EXPECT_EQ(to_hex(sha384(abc)),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(to_hex(sha512(abc)),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Digest, AcceptsEmptyInput) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, JoinsTwoParts) {
  EXPECT_EQ(to_hex(sha256(as_bytes("a"), as_bytes("bc"))), kAbcSha256);
  EXPECT_EQ(to_hex(sha256({}, as_bytes("abc"))), kAbcSha256);
}

TEST(Digest, WorksFromSeveralThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), kAbcSha256);
      }
    });
  }
}

TEST(ConstantTimeEqual, ComparesContentAndLength) {
  EXPECT_TRUE(constant_time_equal(as_bytes("same"), as_bytes("same")));
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_FALSE(constant_time_equal(as_bytes("same"), as_bytes("sane")));
  EXPECT_FALSE(constant_time_equal(as_bytes("same"), as_bytes("sam")));
  EXPECT_FALSE(constant_time_equal({}, as_bytes("s")));
}

TEST(FillRandom, GivesOtherBytesEachTime) {
  Bytes first(32);
  Bytes second(32);
  ASSERT_TRUE(fill_random(first));
  ASSERT_TRUE(fill_random(second));
  EXPECT_NE(first, second);
  EXPECT_NE(first, Bytes(32));
  EXPECT_TRUE(fill_random({}));
}

TEST(Wipe, OverwritesBytes) {
  Bytes secret(48, 0xAA);
  wipe(secret);
  EXPECT_EQ(secret, Bytes(48, 0));
  wipe({});
}

Bytes spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Bytes sign_with(EVP_PKEY* key, const char* digest, BytesView message) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  std::size_t size = 0;
  EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key, nullptr),
            1);
  EXPECT_EQ(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()), 1);
  Bytes out(size);
  EXPECT_EQ(EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()), 1);
  out.resize(size);
  return out;
}

void expect_verifies(EVP_PKEY* key) {
  const Bytes spki = spki_of(key);
  const BytesView message = as_bytes("message");
  for (const char* digest : {"SHA256", "SHA384", "SHA512"}) {
    Bytes signature = sign_with(key, digest, message);
    EXPECT_TRUE(verify_with_spki(spki, digest, message, signature)) << digest;
    EXPECT_FALSE(verify_with_spki(spki, digest, as_bytes("massage"), signature)) << digest;
    signature.back() ^= 1;
    EXPECT_FALSE(verify_with_spki(spki, digest, message, signature)) << digest;
  }
}

TEST(VerifyWithSpki, AcceptsSupportedKeys) {
  for (const char* curve : {"P-256", "P-384"}) expect_verifies(PkeyPtr(EVP_EC_gen(curve)).get());
  expect_verifies(PkeyPtr(EVP_RSA_gen(2048)).get());
}

TEST(VerifyWithSpki, RefusesOtherCurves) {
  for (const char* curve : {"P-521", "secp256k1", "P-224"}) {
    const PkeyPtr key(EVP_EC_gen(curve));
    const Bytes signature = sign_with(key.get(), "SHA256", as_bytes("message"));
    EXPECT_FALSE(verify_with_spki(spki_of(key.get()), "SHA256", as_bytes("message"), signature));
  }
}

TEST(VerifyWithSpki, RefusesExplicitCurveParameters) {
  const PkeyPtr key(EVP_EC_gen("P-256"));
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_ENCODING,
                                           OSSL_PKEY_EC_ENCODING_EXPLICIT),
            1);
  const Bytes signature = sign_with(key.get(), "SHA256", as_bytes("message"));
  const Bytes spki = spki_of(key.get());
  ASSERT_GT(spki.size(), 200U);
  EXPECT_FALSE(verify_with_spki(spki, "SHA256", as_bytes("message"), signature));
}

TEST(VerifyWithSpki, RefusesUnknownDigests) {
  const PkeyPtr key(EVP_EC_gen("P-256"));
  const Bytes spki = spki_of(key.get());
  const Bytes signature = sign_with(key.get(), "SHA1", as_bytes("message"));
  for (std::string_view digest : {"SHA1", "sha256", "MD5", ""}) {
    EXPECT_FALSE(verify_with_spki(spki, digest, as_bytes("message"), signature)) << digest;
  }
}

TEST(VerifyWithSpki, RefusesAnotherDigest) {
  const PkeyPtr key(EVP_EC_gen("P-256"));
  const Bytes signature = sign_with(key.get(), "SHA256", as_bytes("message"));
  EXPECT_FALSE(verify_with_spki(spki_of(key.get()), "SHA384", as_bytes("message"), signature));
}

TEST(VerifyWithSpki, RefusesMalformedKeys) {
  const PkeyPtr key(EVP_EC_gen("P-256"));
  const Bytes signature = sign_with(key.get(), "SHA256", as_bytes("message"));
  Bytes spki = spki_of(key.get());
  EXPECT_FALSE(verify_with_spki({}, "SHA256", as_bytes("message"), signature));
  for (std::size_t size = 1; size < spki.size(); ++size) {
    EXPECT_FALSE(
        verify_with_spki(BytesView(spki).first(size), "SHA256", as_bytes("message"), signature));
  }
  spki.push_back(0);
  EXPECT_FALSE(verify_with_spki(spki, "SHA256", as_bytes("message"), signature));
  EXPECT_FALSE(verify_with_spki(Bytes(100'000, 0x30), "SHA256", as_bytes("message"), signature));
}

TEST(VerifyWithSpki, RefusesOtherKeyTypes) {
  const PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_FALSE(verify_with_spki(spki_of(key.get()), "SHA256", as_bytes("message"), Bytes(64)));
}

TEST(VerifyWithSpki, LeavesNoErrorsInTheQueue) {
  ERR_clear_error();
  EXPECT_FALSE(verify_with_spki(Bytes(91, 0x30), "SHA256", as_bytes("message"), Bytes(70, 1)));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace ratls::crypto
