// SPDX-License-Identifier: Apache-2.0
#include "base/cbor.h"

#include <gtest/gtest.h>

#include <limits>

namespace ratls::cbor {
namespace {

constexpr Code kMalformed = Code::evidence_malformed;

Bytes hex(std::string_view text) { return *parse_hex(text, 4096, "test"); }

Code skip_code(const Bytes& bytes) {
  CborReader reader(bytes, kMalformed);
  const auto skipped = reader.skip("item");
  if (!skipped) return skipped.error().code();
  const auto ended = reader.end("item");
  return ended ? Code::ok : ended.error().code();
}

TEST(CborReader, ReadsUnsignedIntegersOfEveryForm) {
  const std::vector<std::pair<std::string_view, std::uint64_t>> rows = {
      {"00", 0},
      {"17", 23},
      {"1818", 24},
      {"18ff", 255},
      {"190100", 256},
      {"19ffff", 65535},
      {"1a00010000", 65536},
      {"1affffffff", 0xFFFFFFFF},
      {"1b0000000100000000", 0x100000000},
      {"1bffffffffffffffff", std::numeric_limits<std::uint64_t>::max()}};
  for (const auto& [text, value] : rows) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes, kMalformed);
    auto read = reader.unsigned_integer("n");
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, value);
    EXPECT_TRUE(reader.end("n"));
    Bytes written;
    write_unsigned(written, value);
    EXPECT_EQ(written, bytes);
  }
}

TEST(CborReader, RejectsHeadsThatAreNotTheShortest) {
  for (std::string_view text : {"1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff",
                                "1b0000000000000000", "1b00000000ffffffff"}) {
    const Bytes bytes = hex(text);
    CborReader reader(bytes, kMalformed);
    auto read = reader.unsigned_integer("n");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), kMalformed);
    EXPECT_EQ(skip_code(bytes), kMalformed) << text;
  }
}

TEST(CborReader, RejectsReservedAndIndefiniteForms) {
  for (unsigned major = 0; major < 8; ++major) {
    for (unsigned info = 28; info < 32; ++info) {
      // As many bytes as the argument would have if these forms went on like those below them.
      Bytes bytes(1 + (std::size_t{1} << (info - 24)), 0xFF);
      bytes[0] = static_cast<std::uint8_t>(major << 5 | info);
      EXPECT_EQ(skip_code(bytes), kMalformed) << major << " " << info;
    }
  }
}

TEST(CborReader, RejectsTruncatedHeadsAndContents) {
  for (std::string_view text : {"", "18", "1901", "1a000100", "1b00000001000000", "41", "4201",
                                "61", "82", "a1", "a101", "c1", "5bffffffffffffffff",
                                "9bffffffffffffffff", "bbffffffffffffffff", "bb8000000000000000"}) {
    EXPECT_EQ(skip_code(hex(text)), kMalformed) << text;
  }
}

TEST(CborReader, DemandsTheKind) {
  const Bytes bytes = hex("4101");
  CborReader reader(bytes, kMalformed);
  EXPECT_FALSE(reader.unsigned_integer("x"));
  EXPECT_FALSE(reader.text("x"));
  EXPECT_FALSE(reader.array("x"));
  EXPECT_FALSE(reader.map("x"));
  EXPECT_FALSE(reader.tag("x"));
  auto read = reader.bytes("x");
  ASSERT_TRUE(read) << "failed reads must not have moved the reader";
  EXPECT_EQ(Bytes(read->begin(), read->end()), hex("01"));
}

TEST(CborReader, DoesNotMoveWhenContentIsShort) {
  const Bytes bytes = hex("4201");
  CborReader reader(bytes, kMalformed);
  EXPECT_FALSE(reader.bytes("x"));
  EXPECT_FALSE(reader.end("x"));
  EXPECT_FALSE(reader.skip("x"));
  EXPECT_FALSE(reader.bytes("x"));
}

TEST(CborReader, RejectsNegativeIntegersAsUnsigned) {
  const Bytes bytes = hex("20");
  CborReader reader(bytes, kMalformed);
  EXPECT_FALSE(reader.unsigned_integer("x"));
}

TEST(CborReader, SkipsItemsOfEveryKind) {
  for (std::string_view text : {"00",
                                "1b0000000100000000",
                                "20",
                                "3903e7",
                                "40",
                                "4401020304",
                                "60",
                                "6161",
                                "80",
                                "83010203",
                                "a0",
                                "a2616101616202",
                                "c101",
                                "d9ea60820102",
                                "f4",
                                "f5",
                                "f6",
                                "f7",
                                "e0",
                                "f820",
                                "f8ff",
                                "f90000",
                                "fa00000000",
                                "fb0000000000000000",
                                "8181818181818101",
                                "a161618201a1026163"}) {
    EXPECT_EQ(skip_code(hex(text)), Code::ok) << text;
  }
}

TEST(CborReader, RejectsSimpleValuesInALongerForm) {
  for (std::string_view text : {"f800", "f814", "f81f"}) {
    EXPECT_EQ(skip_code(hex(text)), kMalformed) << text;
  }
}

TEST(CborReader, BoundsTheDepthOfWhatItSkips) {
  for (std::string_view level : {"81", "a100", "c1"}) {
    std::string eight, nine;
    for (int i = 0; i < 7; ++i) eight += level;
    nine = eight + std::string(level) + "00";
    EXPECT_EQ(skip_code(hex(eight + "00")), Code::ok) << level;
    EXPECT_EQ(skip_code(hex(nine)), kMalformed) << level;
  }
  EXPECT_EQ(skip_code(Bytes(100000, 0x81)), kMalformed);
}

TEST(CborReader, EndRejectsLeftovers) {
  const Bytes bytes = hex("0000");
  CborReader reader(bytes, kMalformed);
  ASSERT_TRUE(reader.unsigned_integer("x"));
  EXPECT_FALSE(reader.end("x"));
}

TEST(CborWriter, WritesWhatTheReaderReads) {
  Bytes out;
  write_tag(out, 60000);
  write_array(out, 2);
  write_text(out, std::string(300, 'a'));
  write_map(out, 1);
  write_bytes(out, Bytes(70000, 7));
  write_unsigned(out, 5);
  CborReader reader(out, kMalformed);
  EXPECT_EQ(*reader.tag("x"), 60000u);
  EXPECT_EQ(*reader.array("x"), 2u);
  EXPECT_EQ(*reader.text("x"), std::string(300, 'a'));
  EXPECT_EQ(*reader.map("x"), 1u);
  EXPECT_EQ(reader.bytes("x")->size(), 70000u);
  EXPECT_EQ(*reader.unsigned_integer("x"), 5u);
  EXPECT_TRUE(reader.end("x"));
}

}  // namespace
}  // namespace ratls::cbor
