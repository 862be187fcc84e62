// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/cbor.h"
#include "crypto/crypto.h"
#include "evidence/evidence.h"

namespace ratls::evidence {
namespace {

Bytes hex(std::string_view text) { return *parse_hex(text, 4096, "test"); }

UnixTime at(std::int64_t seconds) { return UnixTime(std::chrono::seconds(seconds)); }

// A claims map from keys and values that are CBOR already.
Bytes make_map(const std::vector<std::pair<std::string, Bytes>>& pairs) {
  Bytes out;
  cbor::write_map(out, pairs.size());
  for (const auto& [key, value] : pairs) {
    cbor::write_text(out, key);
    out.insert(out.end(), value.begin(), value.end());
  }
  return out;
}

Bytes wrapped(const Bytes& inner) {
  Bytes out;
  cbor::write_bytes(out, inner);
  return out;
}

Bytes hash_claim(std::uint64_t algorithm, std::size_t size) {
  Bytes inner;
  cbor::write_array(inner, 2);
  cbor::write_unsigned(inner, algorithm);
  cbor::write_bytes(inner, Bytes(size, 0xAB));
  return wrapped(inner);
}

Code claims_code(const Bytes& bytes) {
  auto claims = parse_claims(bytes);
  return claims ? Code::ok : claims.error().code();
}
Code dice_code(const Bytes& bytes) {
  auto parts = parse_dice(bytes);
  return parts ? Code::ok : parts.error().code();
}

TEST(ParseClaims, ReadsWhatIsWritten) {
  const Bytes spki = hex("3003020101");
  auto claims = parse_claims(write_claims(spki, at(1767225600)));
  ASSERT_TRUE(claims) << claims.error().message();
  EXPECT_EQ(claims->hash_algorithm, 1u);
  EXPECT_EQ(to_hex(claims->pubkey_hash), to_hex(crypto::sha256(spki)));
  ASSERT_TRUE(claims->not_after);
  EXPECT_EQ(*claims->not_after, at(1767225600));
}

TEST(ParseClaims, ReadsTheSession) {
  SessionExporter exporter;
  exporter.bytes.fill(7);
  const auto claims = parse_claims(write_claims(hex("3003020101"), at(1767225600), exporter));
  ASSERT_TRUE(claims) << claims.error().message();
  EXPECT_EQ(claims->session, exporter);
  EXPECT_EQ(*claims->not_after, at(1767225600));
  EXPECT_FALSE(parse_claims(write_claims(hex("3003020101"), at(1)))->session);
}

TEST(ParseClaims, RejectsSessionsOfOtherShapes) {
  const auto session = [](const Bytes& claim) {
    return make_map({{"pubkey-hash", hash_claim(1, 32)}, {"ratls-session", claim}});
  };
  EXPECT_EQ(claims_code(session(wrapped(wrapped(Bytes(32, 7))))), Code::ok);
  EXPECT_EQ(claims_code(session(wrapped(wrapped(Bytes(31, 7))))), Code::evidence_malformed);
  EXPECT_EQ(claims_code(session(wrapped(wrapped(Bytes(33, 7))))), Code::evidence_malformed);
  EXPECT_EQ(claims_code(session(wrapped(wrapped({})))), Code::evidence_malformed);
  EXPECT_EQ(claims_code(session(wrapped(Bytes(32, 7)))), Code::evidence_malformed);
  EXPECT_EQ(claims_code(session(hex("01"))), Code::evidence_malformed);
  Bytes longer = wrapped(Bytes(32, 7));
  longer.push_back(0);
  EXPECT_EQ(claims_code(session(wrapped(longer))), Code::evidence_malformed);
}

TEST(ParseClaims, ReadsTheThreeAlgorithms) {
  for (const auto& [algorithm, size] :
       std::vector<std::pair<unsigned, std::size_t>>{{1, 32}, {7, 48}, {8, 64}}) {
    auto claims = parse_claims(make_map({{"pubkey-hash", hash_claim(algorithm, size)}}));
    ASSERT_TRUE(claims) << algorithm;
    EXPECT_EQ(claims->hash_algorithm, algorithm);
    EXPECT_EQ(claims->pubkey_hash, Bytes(size, 0xAB));
    EXPECT_FALSE(claims->not_after);
  }
}

TEST(ParseClaims, RejectsOtherAlgorithmsAndSizes) {
  for (const auto& [algorithm, size] :
       std::vector<std::pair<std::uint64_t, std::size_t>>{{0, 32},
                                                          {2, 16},
                                                          {3, 15},
                                                          {10, 28},
                                                          {11, 48},
                                                          {0x100000001, 32},
                                                          {1, 0},
                                                          {1, 31},
                                                          {1, 33},
                                                          {1, 48},
                                                          {7, 32},
                                                          {7, 64},
                                                          {8, 32},
                                                          {8, 63},
                                                          {8, 48}}) {
    EXPECT_EQ(claims_code(make_map({{"pubkey-hash", hash_claim(algorithm, size)}})),
              Code::evidence_malformed)
        << algorithm << " " << size;
  }
}

TEST(ParseClaims, RejectsAPubkeyHashOfOtherShape) {
  const std::string hash = "5820" + std::string(64, 'a');
  for (const std::string& inner :
       {std::string(), std::string("80"), std::string("8101"),
        "83"
        "01" +
            hash + "00",
        "8101" + hash, "8301" + hash, "82" + hash + "01", "8220" + hash, "826131" + hash,
        "821801" + hash, "9f01" + hash + "ff", "8201" + hash + "00",
        "8201"
        "7820" +
            std::string(64, '6'),
        "82015f" + hash + "ff", "a101" + hash,
        "820159"
        "0020" +
            std::string(64, 'a'),
        std::string("8201")}) {
    EXPECT_EQ(claims_code(make_map({{"pubkey-hash", wrapped(hex(inner))}})),
              Code::evidence_malformed)
        << inner;
  }
  // The array itself instead of bytes that hold it.
  EXPECT_EQ(claims_code(make_map({{"pubkey-hash", hex("8201" + hash)}})), Code::evidence_malformed);
}

TEST(ParseClaims, RejectsMapsWithoutOnePubkeyHash) {
  const Bytes hash = hash_claim(1, 32);
  EXPECT_EQ(claims_code(make_map({})), Code::evidence_malformed);
  EXPECT_EQ(claims_code(make_map({{"nonce", wrapped(Bytes(32))}})), Code::evidence_malformed);
  EXPECT_EQ(claims_code(make_map({{"Pubkey-hash", hash}})), Code::evidence_malformed);
  EXPECT_EQ(claims_code(make_map({{"pubkey-hash", hash}, {"pubkey-hash", hash}})),
            Code::evidence_malformed);
  EXPECT_EQ(claims_code(make_map({{"pubkey-hash", hash}, {"pubkey-hash", hash_claim(8, 64)}})),
            Code::evidence_malformed);
}

TEST(ParseClaims, RejectsDuplicateKeysOfUnknownClaims) {
  EXPECT_EQ(claims_code(
                make_map({{"a", hex("01")}, {"pubkey-hash", hash_claim(1, 32)}, {"a", hex("02")}})),
            Code::evidence_malformed);
}

TEST(ParseClaims, SkipsUnknownClaimsOfAnyKind) {
  for (std::string_view value : {"00", "3903e7", "f6", "6161", "8201a10283f4f5f6", "c11a514b67b0",
                                 "fb3ff199999999999a", "40",
                                 "48"
                                 "76616c75655f3000"}) {
    auto claims = parse_claims(
        make_map({{"x", hex(value)}, {"pubkey-hash", hash_claim(1, 32)}, {"y", hex(value)}}));
    EXPECT_TRUE(claims) << value;
  }
}

TEST(ParseClaims, RejectsUnknownClaimsThatAreBroken) {
  for (std::string_view value :
       {"5f4101ff", "9f01ff", "bf616101ff", "7fff", "1c", "1800", "81818181818181818100",
        "9bffffffffffffffff", "5bffffffffffffffff", "ff"}) {
    EXPECT_EQ(claims_code(make_map({{"pubkey-hash", hash_claim(1, 32)}, {"x", hex(value)}})),
              Code::evidence_malformed)
        << value;
  }
}

TEST(ParseClaims, RejectsOtherMaps) {
  const Bytes good = make_map({{"pubkey-hash", hash_claim(1, 32)}});
  ASSERT_EQ(claims_code(good), Code::ok);
  const Bytes inside(good.begin() + 1, good.end());
  for (std::string_view head :
       {"82", "bf", "a0", "a2", "b801", "bbffffffffffffffff", "c1a1", "d818a1"}) {
    Bytes bad = hex(head);
    bad.insert(bad.end(), inside.begin(), inside.end());
    EXPECT_EQ(claims_code(bad), Code::evidence_malformed) << head;
  }
  Bytes trailing = good;
  trailing.push_back(0);
  EXPECT_EQ(claims_code(trailing), Code::evidence_malformed);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(claims_code(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              Code::evidence_malformed)
        << size;
  }
}

TEST(ParseClaims, RejectsKeysThatAreNotText) {
  for (std::string_view pair : {"0101", "416101", "f601", "8001"}) {
    Bytes bytes = hex("a2");
    const Bytes good = make_map({{"pubkey-hash", hash_claim(1, 32)}});
    bytes.insert(bytes.end(), good.begin() + 1, good.end());
    const Bytes bad = hex(pair);
    bytes.insert(bytes.end(), bad.begin(), bad.end());
    EXPECT_EQ(claims_code(bytes), Code::evidence_malformed) << pair;
  }
}

TEST(ParseClaims, RejectsANotAfterThatIsNoTime) {
  // Bytes of: a negative number, text, a float, nothing, two items, the year 10000, 2^64 - 1.
  for (std::string_view inner :
       {"20", "6130", "f93c00", "", "0000", "1b0000003afff44180", "1bffffffffffffffff", "1800"}) {
    EXPECT_EQ(claims_code(make_map(
                  {{"pubkey-hash", hash_claim(1, 32)}, {"ratls-not-after", wrapped(hex(inner))}})),
              Code::evidence_malformed)
        << inner;
  }
  EXPECT_EQ(claims_code(make_map(
                {{"pubkey-hash", hash_claim(1, 32)}, {"ratls-not-after", hex("1a65000000")}})),
            Code::evidence_malformed);
}

TEST(WriteClaims, IsStable) {
  const Bytes claims = write_claims(hex("00"), at(1700000000));
  EXPECT_EQ(to_hex(claims),
            "a2"
            "6b7075626b65792d68617368"
            "5824"
            "8201"
            "5820"
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
            "6f7261746c732d6e6f742d6166746572"
            "45"
            "1a6553f100");
}

TEST(WriteClaims, PutsTimesBefore1970IntoThePast) {
  auto claims = parse_claims(write_claims(hex("00"), at(-5)));
  ASSERT_TRUE(claims);
  EXPECT_EQ(*claims->not_after, at(0));
}

TEST(ParseDice, ReadsWhatIsWritten) {
  const Bytes quote(5000, 3), claims = hex("a0");
  const Bytes value = write_dice(quote, claims);
  auto parts = parse_dice(value);
  ASSERT_TRUE(parts) << parts.error().message();
  EXPECT_EQ(Bytes(parts->quote.begin(), parts->quote.end()), quote);
  EXPECT_EQ(Bytes(parts->claims.begin(), parts->claims.end()), claims);
  EXPECT_EQ(to_hex(BytesView(value).first(7)), "d9ea6082591388");
}

TEST(ParseDice, RejectsOtherShapes) {
  ASSERT_EQ(dice_code(hex("d9ea6082410141a0")), Code::ok);
  for (std::string_view text : {"",
                                "82410141a0",
                                "c182410141a0",
                                "d9ea6182410141a0",
                                "daffffffff82410141a0",
                                "da0000ea6082410141a0",
                                "d9ea60d9ea6082410141a0",
                                "d9ea60814101",
                                "d9ea6083410141a041a0",
                                "d9ea609f410141a0ff",
                                "d9ea60a1410141a0",
                                "d9ea6080",
                                "d9ea6082410141a000",
                                "d9ea6082410141a0ff",
                                "d9ea6082610141a0",
                                "d9ea60820141a0",
                                "d9ea60824101a0",
                                "d9ea60825f4101ff41a0",
                                "d9ea608258010141a0",
                                "d9ea60825bffffffffffffffff41a0",
                                "d9ea60824101",
                                "d9ea6082410142a0",
                                "d9ea609bffffffffffffffff410141a0"}) {
    EXPECT_EQ(dice_code(hex(text)), Code::evidence_malformed) << text;
  }
}

TEST(ReportDataFor, IsAHashAndZeros) {
  const ReportData data = report_data_for(hex("00"));
  EXPECT_EQ(to_hex(data), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" +
                              std::string(64, '0'));
}

}  // namespace
}  // namespace ratls::evidence
