// SPDX-License-Identifier: Apache-2.0
#include "x509/der.h"

#include <gtest/gtest.h>

#include "x509/algorithms.h"
#include "x509/builder.h"

namespace ratls::x509 {
namespace {

constexpr Code kCode = Code::certificate_malformed;

Bytes hex(std::string_view text) { return parse_hex(text, 4096, "test").value(); }

// Where every read of the bytes has to fail with the reader's code, whichever way it is read.
template <class Read>
void expect_refused(std::string_view encoded, Read read) {
  const Bytes bytes = hex(encoded);
  DerReader reader(bytes, kCode);
  const auto result = read(reader);
  ASSERT_FALSE(result) << encoded;
  EXPECT_EQ(result.error().code(), kCode) << encoded;
}

TEST(DerElement, ReadsTagContentAndWhole) {
  const Bytes bytes = hex("0403aabbcc0500");
  DerReader reader(bytes, kCode);
  const DerElement first = reader.element("first").value();
  EXPECT_EQ(first.tag, kTagOctetString);
  EXPECT_EQ(to_hex(first.content), "aabbcc");
  EXPECT_EQ(to_hex(first.whole), "0403aabbcc");
  EXPECT_TRUE(reader.next_is(kTagNull));
  EXPECT_FALSE(reader.end("all"));
  EXPECT_TRUE(reader.element(kTagNull, "second"));
  EXPECT_TRUE(reader.end("all"));
  EXPECT_FALSE(reader.next_is(kTagNull));
}

TEST(DerElement, ReadsLongLengths) {
  for (std::size_t size : {127U, 128U, 255U, 256U, 65535U, 65536U}) {
    const Bytes bytes = der_tlv(kTagOctetString, Bytes(size, 7));
    DerReader reader(bytes, kCode);
    EXPECT_EQ(reader.octet_string("content").value().size(), size);
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(DerElement, RefusesMalformedLengths) {
  const auto read = [](DerReader& reader) { return reader.element("field"); };
  expect_refused("", read);
  expect_refused("04", read);
  expect_refused("0401", read);        // past the end
  expect_refused("0480aa0000", read);  // indefinite
  expect_refused("048101aa", read);    // 1 in long form
  expect_refused("04817f" + std::string(254, 'a'), read);
  expect_refused("04820080" + std::string(256, 'a'), read);  // leading zero
  expect_refused("0481", read);
  expect_refused("0484ffffffff", read);
  expect_refused("0485000000000100", read);  // five bytes of length
  expect_refused("04ff00", read);
  // Nine bytes, which would be 128 in a number of 64 bits.
  expect_refused("0489010000000000000080" + std::string(256, 'a'), read);
}

TEST(DerElement, RefusesTagsOfSeveralBytes) {
  for (std::string_view bad : {"1f8101", "1f00", "3f0100"}) {
    expect_refused(bad, [](DerReader& reader) { return reader.element("field"); });
  }
}

TEST(DerElement, RefusesAnotherTag) {
  const auto read = [](DerReader& reader) { return reader.element(kTagSequence, "field"); };
  expect_refused("3100", read);
  expect_refused("1000", read);  // SEQUENCE is constructed in DER
  expect_refused("", read);
}

TEST(DerBoolean, ReadsBothValues) {
  const Bytes bytes = hex("0101ff010100");
  DerReader reader(bytes, kCode);
  EXPECT_TRUE(reader.boolean("first").value());
  EXPECT_FALSE(reader.boolean("second").value());
}

TEST(DerBoolean, RefusesOtherEncodings) {
  const auto read = [](DerReader& reader) { return reader.boolean("field"); };
  for (std::string_view bad : {"010101", "0101fe", "0100", "0102ffff", "0201ff"}) {
    expect_refused(bad, read);
  }
}

TEST(DerInteger, ReadsUnsignedNumbers) {
  const auto value_of = [](std::string_view encoded) {
    const Bytes bytes = hex(encoded);
    return DerReader(bytes, kCode).unsigned_integer(~std::uint64_t{0}, "field").value();
  };
  EXPECT_EQ(value_of("020100"), 0U);
  EXPECT_EQ(value_of("02017f"), 127U);
  EXPECT_EQ(value_of("02020080"), 128U);
  EXPECT_EQ(value_of("0203010000"), 65536U);
  EXPECT_EQ(value_of("020900ffffffffffffffff"), ~std::uint64_t{0});
}

TEST(DerInteger, RefusesOtherForms) {
  const auto read = [](DerReader& reader) {
    return reader.unsigned_integer(~std::uint64_t{0}, "field");
  };
  for (std::string_view bad : {"0200", "02020001", "0202007f", "0202ff80", "020180", "0201ff",
                               "0209010000000000000000", "020a00ffffffffffffffffff", "040101"}) {
    expect_refused(bad, read);
  }
}

TEST(DerInteger, KeepsItsMaximum) {
  const Bytes bytes = hex("02020100");
  EXPECT_TRUE(DerReader(bytes, kCode).unsigned_integer(256, "field"));
  EXPECT_FALSE(DerReader(bytes, kCode).unsigned_integer(255, "field"));
}

TEST(DerInteger, ReadsPositiveContent) {
  const Bytes bytes = hex("02020080");
  EXPECT_EQ(to_hex(DerReader(bytes, kCode).positive_integer("field").value()), "0080");
  const auto read = [](DerReader& reader) { return reader.positive_integer("field"); };
  for (std::string_view bad : {"020100", "020180", "0200", "02020001"}) expect_refused(bad, read);
}

TEST(DerBitString, RefusesUnusedBits) {
  const Bytes bytes = hex("030200aa");
  EXPECT_EQ(to_hex(DerReader(bytes, kCode).bit_string("field").value()), "aa");
  const auto read = [](DerReader& reader) { return reader.bit_string("field"); };
  for (std::string_view bad : {"0300", "030201aa", "030208aa", "2302aabb"}) {
    expect_refused(bad, read);
  }
}

TEST(DerOid, RefusesMalformedNumbers) {
  const auto read = [](DerReader& reader) { return reader.oid("field"); };
  for (std::string_view bad : {"0600", "060180", "06022a86", "06032a8001", "0602802a"}) {
    expect_refused(bad, read);
  }
}

TEST(DerOid, ReadsGraminesContentAsItIs) {
  const Bytes bytes = hex("060b06092a864886f84d8a3906");
  EXPECT_EQ(to_hex(DerReader(bytes, kCode).oid("field").value()), "06092a864886f84d8a3906");
}

std::optional<std::string> time_of(std::uint8_t tag, std::string_view text) {
  const Bytes bytes = der_tlv(tag, as_bytes(text));
  const auto time = DerReader(bytes, kCode).time("field");
  if (!time) return std::nullopt;
  return format_time(*time);
}

TEST(DerTime, ReadsBothForms) {
  EXPECT_EQ(time_of(kTagUtcTime, "240313000000Z"), "2024-03-13T00:00:00Z");
  EXPECT_EQ(time_of(kTagUtcTime, "491231235959Z"), "2049-12-31T23:59:59Z");
  EXPECT_EQ(time_of(kTagUtcTime, "500101000000Z"), "1950-01-01T00:00:00Z");
  EXPECT_EQ(time_of(kTagGeneralizedTime, "20500101000000Z"), "2050-01-01T00:00:00Z");
  EXPECT_EQ(time_of(kTagGeneralizedTime, "99991231235959Z"), "9999-12-31T23:59:59Z");
  EXPECT_EQ(time_of(kTagUtcTime, "240229120000Z"), "2024-02-29T12:00:00Z");
}

TEST(DerTime, RefusesOtherForms) {
  for (std::string_view bad :
       {"2403130000Z", "240313000000", "240313000000+0000", "240313000000z", "2403130000000Z",
        "241313000000Z", "240013000000Z", "240230000000Z", "230229000000Z", "240313240000Z",
        "240313006000Z", "240313000060Z", "24031300000 Z", "-40313000000Z", "24+313000000Z",
        "24031300000:Z", ""}) {
    EXPECT_EQ(time_of(kTagUtcTime, bad), std::nullopt) << bad;
  }
  for (std::string_view bad :
       {"20240313000000.5Z", "20240313000000", "202403130000Z", "20240313000000+0100",
        "21000229000000Z", "240313000000Z", "2o240313000000Z", "202", ""}) {
    EXPECT_EQ(time_of(kTagGeneralizedTime, bad), std::nullopt) << bad;
  }
  EXPECT_EQ(time_of(kTagUtcTime, "20240313000000Z"), std::nullopt);
  EXPECT_EQ(time_of(kTagOctetString, "240313000000Z"), std::nullopt);
}

std::optional<std::string> raw_of(std::string_view encoded) {
  const auto raw = raw_p256_signature(hex(encoded), kCode);
  if (!raw) return std::nullopt;
  return to_hex(*raw);
}

TEST(RawP256Signature, PadsShortNumbers) {
  EXPECT_EQ(raw_of("300702020100020200ff").value_or("refused"), "refused");
  EXPECT_EQ(raw_of("300802020100020200ff"),
            std::string(60, '0') + "0100" + std::string(62, '0') + "ff");
}

TEST(RawP256Signature, TakesNumbersOfFullLength) {
  const std::string full(64, 'f');
  EXPECT_EQ(raw_of("3046022100" + full + "022100" + full), full + full);
}

TEST(RawP256Signature, RefusesOtherForms) {
  const std::string full(64, 'f');
  for (const std::string& bad : std::vector<std::string>{
           "", "3000", "3003020101", "3006020101020100", "3006020100020101",  // missing or zero
           "3006020181020101",                                                // negative
           "300702020001020101",                                              // not minimal
           "300602010102010100", "3009020101020101020101",                    // left over
           "308106020101020101", "3106020101020101",                          // length, tag
           "304802220100" + full + "02220080" + full}) {                      // 33 bytes
    EXPECT_EQ(raw_of(bad), std::nullopt) << bad;
  }
}

TEST(Oid, RoundTripsThroughText) {
  for (std::string_view text : {"1.2.840.113741.1.13.1", "2.23.133.5.4.9", "2.5.29.19", "0.9.2342",
                                "2.999.3", "1.2.840.113741.1337.6"}) {
    EXPECT_EQ(oid_to_text(oid_from_text(text)), text);
  }
  EXPECT_EQ(to_hex(oid_from_text("1.2.840.113741.1337.6")), "2a864886f84d8a3906");
  EXPECT_EQ(to_hex(oid_from_text("2.999.3")), "883703");
}

TEST(Oid, ShowsMalformedContentAsHex) {
  EXPECT_EQ(oid_to_text(hex("8001")), "8001");
  EXPECT_EQ(oid_to_text(hex("2a86")), "2a86");
  EXPECT_EQ(oid_to_text(hex("ffffffffffffffffffffff7f")), "ffffffffffffffffffffff7f");
  EXPECT_EQ(oid_to_text({}), "");
}

TEST(OidDeathTest, AbortsOnNonsense) {
  for (std::string_view bad : {"", "1", "1.", "3.1", "1.40", "1..2", "1.2.x", "1.2.", ".1.2"}) {
    EXPECT_DEATH(oid_from_text(bad), "") << bad;
  }
}

}  // namespace
}  // namespace ratls::x509
