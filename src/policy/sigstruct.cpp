// SPDX-License-Identifier: Apache-2.0
#include "policy/sigstruct.h"

#include <algorithm>

#include "base/reader.h"

namespace ratls::policy {
namespace {

constexpr std::array<std::uint8_t, 16> kHeader{6, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
constexpr std::array<std::uint8_t, 16> kHeader2{1,    1, 0, 0, 0x60, 0, 0, 0,
                                                0x60, 0, 0, 0, 1,    0, 0, 0};

// What is signed are two stretches: the first 128 bytes and those from MISCSELECT to ISVSVN.
constexpr std::size_t kFirstSize = 128;
constexpr std::size_t kSecondOffset = 900;
constexpr std::size_t kSecondSize = 128;

Result<void> expect(Reader& reader, std::string_view field, BytesView wanted) {
  RATLS_TRY(const BytesView got, reader.bytes(field, wanted.size()));
  if (std::ranges::equal(got, wanted)) return {};
  return reader.fail(field, "got " + to_hex(got));
}

Result<void> expect_zeros(Reader& reader, std::string_view field, std::size_t count) {
  RATLS_TRY(const BytesView got, reader.bytes(field, count));
  if (std::ranges::all_of(got, [](std::uint8_t byte) { return byte == 0; })) return {};
  return reader.fail(field, "reserved bytes are not zero");
}

Result<void> skip(Reader& reader, std::string_view field, std::size_t count) {
  RATLS_TRY([[maybe_unused]] const BytesView skipped, reader.bytes(field, count));
  return {};
}

// From the header to the signature (SDM: offsets 0 to 899).
Result<void> read_key_part(Reader& reader, Sigstruct& out) {
  RATLS_CHECK(expect(reader, "HEADER", kHeader));
  RATLS_TRY(out.vendor, reader.u32le("VENDOR"));
  if (out.vendor != 0 && out.vendor != 0x8086)
    return reader.fail("VENDOR", "is neither 0 nor Intel's");
  RATLS_TRY(out.date, reader.u32le("DATE"));
  RATLS_CHECK(expect(reader, "HEADER2", kHeader2));
  RATLS_TRY(out.sw_defined, reader.u32le("SWDEFINED"));
  RATLS_CHECK(expect_zeros(reader, "RESERVED", 84));
  RATLS_TRY(out.modulus, reader.array<kSigstructKeySize>("MODULUS"));
  if ((out.modulus.back() & 0x80) == 0) return reader.fail("MODULUS", "has less than 3072 bits");
  RATLS_TRY(const std::uint32_t exponent, reader.u32le("EXPONENT"));
  if (exponent != 3) return reader.fail("EXPONENT", "is not 3");
  RATLS_TRY(out.signature, reader.array<kSigstructKeySize>("SIGNATURE"));
  return {};
}

// From MISCSELECT to the end (offsets 900 to 1807).
Result<void> read_enclave_part(Reader& reader, Sigstruct& out) {
  RATLS_TRY(out.misc_select, reader.u32le("MISCSELECT"));
  RATLS_TRY(out.misc_select_mask, reader.u32le("MISCMASK"));
  RATLS_TRY(out.cet_attributes, reader.array<1>("CET_ATTRIBUTES"));
  RATLS_TRY(out.cet_attributes_mask, reader.array<1>("CET_ATTRIBUTES_MASK"));
  RATLS_CHECK(expect_zeros(reader, "RESERVED", 2));
  RATLS_TRY(out.isv_family_id, reader.fixed<IsvFamilyId>("ISVFAMILYID"));
  RATLS_TRY(out.attributes, reader.fixed<SgxAttributes>("ATTRIBUTES"));
  RATLS_TRY(out.attributes_mask, reader.fixed<SgxAttributes>("ATTRIBUTEMASK"));
  RATLS_TRY(out.mr_enclave, reader.fixed<MrEnclave>("ENCLAVEHASH"));
  RATLS_CHECK(expect_zeros(reader, "RESERVED", 16));
  RATLS_TRY(out.isv_ext_prod_id, reader.fixed<IsvExtProdId>("ISVEXTPRODID"));
  RATLS_TRY(out.isv_prod_id, reader.u16le("ISVPRODID"));
  RATLS_TRY(out.isv_svn, reader.u16le("ISVSVN"));
  RATLS_CHECK(expect_zeros(reader, "RESERVED", 12));
  return skip(reader, "Q1 and Q2", 2 * kSigstructKeySize);  // for EINIT's arithmetic only
}

}  // namespace

Result<Sigstruct> parse_sigstruct(BytesView file) {
  Reader reader(file, Code::sigstruct_invalid);
  Sigstruct out{};
  RATLS_CHECK(read_key_part(reader, out));
  RATLS_CHECK(read_enclave_part(reader, out));
  RATLS_CHECK(reader.end("SIGSTRUCT"));
  const BytesView first = file.first(kFirstSize);
  const BytesView second = file.subspan(kSecondOffset, kSecondSize);
  out.signed_bytes.assign(first.begin(), first.end());
  out.signed_bytes.insert(out.signed_bytes.end(), second.begin(), second.end());
  return out;
}

}  // namespace ratls::policy
