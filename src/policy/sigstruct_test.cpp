// SPDX-License-Identifier: Apache-2.0
#include "policy/sigstruct.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ratls::policy {
namespace {

void put(Bytes& file, std::size_t offset, std::initializer_list<std::uint8_t> bytes) {
  std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(offset));
}

void fill(Bytes& file, std::size_t offset, std::size_t count, std::uint8_t byte) {
  std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(offset), count, byte);
}

// By the offsets of the SDM, not by the reader's order.
Bytes sigstruct() {
  Bytes file(kSigstructSize);
  put(file, 0, {6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0});
  put(file, 20, {0x25, 0x11, 0x26, 0x20});
  put(file, 24, {1, 1, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 1, 0, 0, 0});
  fill(file, 128, 384, 0xc1);
  put(file, 512, {3, 0, 0, 0});
  fill(file, 516, 384, 0x51);
  fill(file, 900, 4, 0x99);
  fill(file, 904, 4, 0x98);
  put(file, 40, {1, 2, 3, 4});
  put(file, 908, {0x97, 0x96});
  fill(file, 912, 16, 0xf1);
  fill(file, 928, 16, 0xa1);
  fill(file, 944, 16, 0xa2);
  fill(file, 960, 32, 0xe1);
  fill(file, 1008, 16, 0xf2);
  put(file, 1024, {0x34, 0x12, 0x02, 0x01});
  fill(file, 1040, 768, 0x77);
  return file;
}

Code code_of(const Bytes& file) {
  const auto parsed = parse_sigstruct(file);
  return parsed ? Code::ok : parsed.error().code();
}

TEST(ParseSigstruct, ReadsEachFieldAtItsOffset) {
  const Bytes file = sigstruct();
  const auto parsed = parse_sigstruct(file);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().where() << parsed.error().detail();
  EXPECT_EQ(to_hex(parsed->mr_enclave), to_hex(Bytes(32, 0xe1)));
  EXPECT_EQ(to_hex(parsed->attributes), to_hex(Bytes(16, 0xa1)));
  EXPECT_EQ(to_hex(parsed->attributes_mask), to_hex(Bytes(16, 0xa2)));
  EXPECT_EQ(to_hex(parsed->modulus), to_hex(Bytes(384, 0xc1)));
  EXPECT_EQ(to_hex(parsed->signature), to_hex(Bytes(384, 0x51)));
  EXPECT_EQ(parsed->date, 0x20261125u);
  EXPECT_EQ(parsed->misc_select, 0x99999999u);
  EXPECT_EQ(parsed->misc_select_mask, 0x98989898u);
  EXPECT_EQ(parsed->vendor, 0u);
  EXPECT_EQ(parsed->sw_defined, 0x04030201u);
  EXPECT_EQ(parsed->cet_attributes[0], 0x97);
  EXPECT_EQ(parsed->cet_attributes_mask[0], 0x96);
  EXPECT_EQ(to_hex(parsed->isv_family_id), to_hex(Bytes(16, 0xf1)));
  EXPECT_EQ(to_hex(parsed->isv_ext_prod_id), to_hex(Bytes(16, 0xf2)));
  EXPECT_EQ(parsed->isv_prod_id, 0x1234);
  EXPECT_EQ(parsed->isv_svn, 0x0102);
  Bytes wanted(file.begin(), file.begin() + 1028);
  wanted.erase(wanted.begin() + 128, wanted.begin() + 900);
  EXPECT_EQ(parsed->signed_bytes, wanted);
}

TEST(ParseSigstruct, RefusesEveryOtherSize) {
  const Bytes file = sigstruct();
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_EQ(code_of(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))),
              Code::sigstruct_invalid);
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_EQ(code_of(longer), Code::sigstruct_invalid);
}

TEST(ParseSigstruct, RefusesChangedHeadersExponentAndReservedBytes) {
  const auto refuse = [](std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) {
      Bytes file = sigstruct();
      file[i] ^= 1;
      EXPECT_EQ(code_of(file), Code::sigstruct_invalid) << i;
    }
  };
  refuse(0, 20);
  refuse(24, 40);
  refuse(44, 128);
  refuse(512, 516);
  refuse(910, 912);
  refuse(992, 1008);
  refuse(1028, 1040);
}

TEST(ParseSigstruct, AllowsIntelAsVendor) {
  Bytes file = sigstruct();
  put(file, 16, {0x86, 0x80, 0, 0});
  EXPECT_EQ(code_of(file), Code::ok);
}

TEST(ParseSigstruct, RefusesAShortModulus) {
  Bytes file = sigstruct();
  file[511] = 0x7f;
  EXPECT_EQ(code_of(file), Code::sigstruct_invalid);
}

}  // namespace
}  // namespace ratls::policy
