// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/reader.h"
#include "ratls/bytes.h"
#include "ratls/time.h"

namespace ratls::x509 {

/// Tags of X.690 8.1.2 that X.509 uses, in their DER form.
enum Tag : std::uint8_t {
  kTagBoolean = 0x01,
  kTagInteger = 0x02,
  kTagBitString = 0x03,
  kTagOctetString = 0x04,
  kTagNull = 0x05,
  kTagOid = 0x06,
  kTagEnumerated = 0x0A,
  kTagUtf8String = 0x0C,
  kTagPrintableString = 0x13,
  kTagTeletexString = 0x14,
  kTagIa5String = 0x16,
  kTagUtcTime = 0x17,
  kTagGeneralizedTime = 0x18,
  kTagSequence = 0x30,
  kTagSet = 0x31,
};

/// context_tag is [number] of the context class; constructed for EXPLICIT and for sequences.
constexpr std::uint8_t context_primitive(std::uint8_t number) {
  return static_cast<std::uint8_t>(0x80 | number);
}
constexpr std::uint8_t context_constructed(std::uint8_t number) {
  return static_cast<std::uint8_t>(0xA0 | number);
}

/// DerElement is one element: views into what is being read.
struct DerElement {
  std::uint8_t tag = 0;
  BytesView content;
  BytesView whole;  ///< tag and length included
};

/// DerReader is a cursor over DER elements: one-byte tags, definite lengths in their shortest form
/// (X.690 10.1), and strict content for the primitive types that are read through it.
/// Owns: nothing; the bytes must outlive it. Thread-safety: none.
/// Errors: the code given to the constructor, with the field as the place.
class DerReader {
 public:
  DerReader(BytesView bytes, Code on_error) : reader_(bytes, on_error) {}

  bool at_end() const noexcept { return reader_.left() == 0; }
  /// next_is tells whether another element follows and has this tag.
  bool next_is(std::uint8_t tag) const noexcept;
  /// end fails when bytes are left.
  Result<void> end(std::string_view structure) const { return reader_.end(structure); }

  /// element reads an element of any tag.
  Result<DerElement> element(std::string_view field);
  /// element reads an element that must have this tag.
  Result<DerElement> element(std::uint8_t tag, std::string_view field);
  /// enter reads an element of this tag and gives a reader of its content.
  Result<DerReader> enter(std::uint8_t tag, std::string_view field);

  /// boolean reads FF as true and 00 as false (X.690 11.1).
  Result<bool> boolean(std::string_view field);
  /// positive_integer gives the content of an INTEGER above zero in its shortest form.
  Result<BytesView> positive_integer(std::string_view field);
  /// unsigned_integer reads an INTEGER, or another type encoded like it, from 0 to max.
  Result<std::uint64_t> unsigned_integer(std::uint64_t max, std::string_view field,
                                         std::uint8_t tag = kTagInteger);
  /// unsigned_integer_content gives the content of an INTEGER that is not negative and has at most
  /// max_bytes without the zero for the sign.
  Result<BytesView> unsigned_integer_content(std::size_t max_bytes, std::string_view field);
  /// octet_string gives the content of an OCTET STRING.
  Result<BytesView> octet_string(std::string_view field);
  /// bit_string gives the content of a BIT STRING of whole bytes.
  Result<BytesView> bit_string(std::string_view field);
  /// oid gives the content of an OBJECT IDENTIFIER.
  Result<BytesView> oid(std::string_view field);
  /// time reads UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ (RFC 5280 4.1.2.5).
  Result<UnixTime> time(std::string_view field);

  Code code() const noexcept { return reader_.code(); }
  Error fail(std::string_view field, std::string detail) const {
    return reader_.fail(field, std::move(detail));
  }

 private:
  Result<std::size_t> length(std::string_view field);
  Result<BytesView> integer(std::uint8_t tag, std::string_view field);

  Reader reader_;
};

}  // namespace ratls::x509
