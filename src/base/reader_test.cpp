// SPDX-License-Identifier: Apache-2.0
#include "base/reader.h"

#include <gtest/gtest.h>

namespace ratls {
namespace {

constexpr Code kCode = Code::quote_malformed;

TEST(Reader, ReadsLittleEndianNumbersInOrder) {
  const Bytes bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  Reader reader(bytes, kCode);
  EXPECT_EQ(reader.u8("a").value(), 1);
  EXPECT_EQ(reader.u16le("b").value(), 0x0302);
  EXPECT_EQ(reader.u32le("c").value(), 0x07060504u);
  EXPECT_EQ(reader.u64le("d").value(), 0x0f0e0d0c0b0a0908u);
  EXPECT_TRUE(reader.end("all").has_value());
}

TEST(Reader, RefusesToReadPastTheEndAndStaysWhereItIs) {
  const Bytes bytes{1, 2, 3};
  Reader reader(bytes, kCode);
  ASSERT_TRUE(reader.u8("a").has_value());
  const auto number = reader.u32le("b");
  ASSERT_FALSE(number.has_value());
  EXPECT_EQ(number.error().code(), kCode);
  EXPECT_EQ(number.error().where(), "b");
  EXPECT_EQ(reader.offset(), 1u);
  EXPECT_EQ(reader.left(), 2u);
  EXPECT_TRUE(reader.u16le("c").has_value());
}

TEST(Reader, RefusesALengthThatWouldOverflow) {
  const Bytes bytes{1, 2, 3};
  Reader reader(bytes, kCode);
  EXPECT_FALSE(reader.bytes("a", SIZE_MAX).has_value());
  EXPECT_FALSE(reader.sub("a", SIZE_MAX - 1).has_value());
  EXPECT_EQ(reader.left(), 3u);
}

TEST(Reader, SubSeesItsPartOnly) {
  const Bytes bytes{1, 2, 3, 4};
  Reader reader(bytes, kCode);
  auto sub = reader.sub("part", 2);
  ASSERT_TRUE(sub.has_value());
  EXPECT_FALSE(sub->u32le("too long").has_value());
  EXPECT_EQ(sub->u16le("part").value(), 0x0201);
  EXPECT_EQ(reader.u16le("rest").value(), 0x0403);
}

TEST(Reader, EndFindsLeftovers) {
  const Bytes bytes{1};
  const Reader reader(bytes, kCode);
  EXPECT_EQ(reader.end("all").error().code(), kCode);
}

TEST(Reader, ReadsEmptyInput) {
  Reader reader({}, kCode);
  EXPECT_TRUE(reader.bytes("nothing", 0).has_value());
  EXPECT_FALSE(reader.u8("a").has_value());
  EXPECT_TRUE(reader.end("all").has_value());
}

}  // namespace
}  // namespace ratls
