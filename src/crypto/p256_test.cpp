// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <thread>

#include "base/reader.h"
#include "crypto/crypto.h"

namespace ratls::crypto {
namespace {

Bytes hex(std::string_view text) { return parse_hex(text, 4096, "test").value(); }

// RFC 6979 A.2.5, P-256 with SHA-256, message "sample".
constexpr std::string_view kPoint =
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
constexpr std::string_view kR = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716";
constexpr std::string_view kS = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
constexpr std::string_view kN = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
constexpr std::string_view kZero =
    "0000000000000000000000000000000000000000000000000000000000000000";
constexpr std::string_view kMax =
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";

P256PublicKey sample_key() { return P256PublicKey::from_point(hex(kPoint)).value(); }
Bytes signature(std::string_view r, std::string_view s) {
  return hex(std::string(r) + std::string(s));
}

TEST(P256PublicKey, AcceptsPublishedSignature) {
  EXPECT_TRUE(sample_key().verify(as_bytes("sample"), signature(kR, kS)));
}

TEST(P256PublicKey, GivesPointBack) {
  EXPECT_EQ(to_hex(sample_key().point()), to_hex(hex(kPoint)));
}

TEST(P256PublicKey, RefusesOtherMessage) {
  EXPECT_FALSE(sample_key().verify(as_bytes("samplf"), signature(kR, kS)));
  EXPECT_FALSE(sample_key().verify({}, signature(kR, kS)));
}

TEST(P256PublicKey, RefusesEveryFlippedBit) {
  const P256PublicKey key = sample_key();
  const Bytes good = signature(kR, kS);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1U << bit % 8);
    EXPECT_FALSE(key.verify(as_bytes("sample"), bad)) << bit;
  }
}

TEST(P256PublicKey, RefusesNumbersOutsideOfTheOrder) {
  const P256PublicKey key = sample_key();
  for (std::string_view bad : {kZero, kN, kMax}) {
    EXPECT_FALSE(key.verify(as_bytes("sample"), signature(bad, kS))) << bad;
    EXPECT_FALSE(key.verify(as_bytes("sample"), signature(kR, bad))) << bad;
    EXPECT_FALSE(key.verify(as_bytes("sample"), signature(bad, bad))) << bad;
  }
}

TEST(P256PublicKey, RefusesSignatureOfAnotherLength) {
  Bytes bytes = signature(kR, kS);
  bytes.push_back(0);
  EXPECT_FALSE(sample_key().verify(as_bytes("sample"), bytes));
  bytes.resize(63);
  EXPECT_FALSE(sample_key().verify(as_bytes("sample"), bytes));
  EXPECT_FALSE(sample_key().verify(as_bytes("sample"), {}));
}

TEST(P256PublicKey, RefusesMovedFromKey) {
  P256PublicKey key = sample_key();
  const P256PublicKey taken = std::move(key);
  EXPECT_TRUE(taken.verify(as_bytes("sample"), signature(kR, kS)));
  EXPECT_FALSE(
      key.verify(as_bytes("sample"), signature(kR, kS)));  // NOLINT(bugprone-use-after-move)
}

TEST(P256PublicKey, RefusesPointOffTheCurve) {
  Bytes point = hex(kPoint);
  point.back() ^= 1;
  EXPECT_EQ(P256PublicKey::from_point(point).error().code(), Code::key_unsupported);
}

TEST(P256PublicKey, RefusesZeroPoint) {
  EXPECT_EQ(P256PublicKey::from_point(Bytes(64, 0)).error().code(), Code::key_unsupported);
}

// x = 0 is on the curve; p is the same number modulo p, but no encoding of it (SEC 1 2.3.6).
TEST(P256PublicKey, RefusesCoordinateAboveTheField) {
  const std::string y = "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4";
  const std::string small_x(kZero);
  const std::string large_x = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
  ASSERT_TRUE(P256PublicKey::from_point(hex(small_x + y)));
  EXPECT_EQ(P256PublicKey::from_point(hex(large_x + y)).error().code(), Code::key_unsupported);
}

TEST(P256PublicKey, RefusesPointOfAnotherLength) {
  for (std::size_t size : {0U, 32U, 63U, 65U, 96U}) {
    EXPECT_EQ(P256PublicKey::from_point(Bytes(size, 4)).error().code(), Code::key_unsupported);
  }
}

TEST(P256PublicKey, LeavesNoErrorsInTheQueue) {
  ERR_clear_error();
  EXPECT_FALSE(P256PublicKey::from_point(Bytes(64, 1)));
  EXPECT_FALSE(sample_key().verify(as_bytes("sample"), signature(kZero, kS)));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(P256PublicKey, VerifiesFromSeveralThreads) {
  const P256PublicKey key = sample_key();
  const Bytes good = signature(kR, kS);
  std::array<int, 4> accepted{};
  {
    std::vector<std::jthread> threads;
    for (int& count : accepted) {
      threads.emplace_back([&key, &good, &count] {
        for (int i = 0; i < 25; ++i) {
          const P256PublicKey copied = key;
          const auto made = P256PublicKey::from_point(copied.point());
          if (key.verify(as_bytes("sample"), good) && made &&
              made->verify(as_bytes("sample"), good)) {
            ++count;
          }
        }
      });
    }
  }
  for (int count : accepted) EXPECT_EQ(count, 25);
}

}  // namespace
}  // namespace ratls::crypto
