// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/reader.h"
#include "ratls/bytes.h"

namespace ratls::cbor {

/// CborReader reads the few kinds of CBOR items that evidence and endorsements need, strictly:
/// definite lengths and shortest heads only (RFC 8949 4.2.1), so that one value has one form. Each
/// read demands its kind and does not move when it fails; nothing is allocated. Text is not checked
/// to be UTF-8. Owns: nothing; the bytes must outlive it. Thread-safety: none. Errors: the code
/// given to the constructor, with the field as the place.
class CborReader {
 public:
  CborReader(BytesView bytes, Code on_error) : reader_(bytes, on_error) {}

  Result<std::uint64_t> unsigned_integer(std::string_view field);
  Result<BytesView> bytes(std::string_view field);
  Result<std::string_view> text(std::string_view field);
  /// array gives the number of items that follow, map that of the pairs.
  Result<std::uint64_t> array(std::string_view field);
  Result<std::uint64_t> map(std::string_view field);
  /// tag gives the number; the tagged item follows.
  Result<std::uint64_t> tag(std::string_view field);
  /// skip passes over one item of any kind, with all that it holds.
  Result<void> skip(std::string_view field);
  /// end fails when bytes are left.
  Result<void> end(std::string_view structure) const { return reader_.end(structure); }

  Error fail(std::string_view field, std::string detail) const {
    return reader_.fail(field, std::move(detail));
  }

 private:
  explicit CborReader(const Reader& reader) : reader_(reader) {}
  struct Head;
  Result<Head> head(std::string_view field);
  Result<std::uint64_t> argument(std::string_view field, unsigned info);
  Result<std::uint64_t> number_of(std::string_view field, unsigned major);
  Result<BytesView> content_of(std::string_view field, unsigned major);
  Result<void> skip_nested(std::string_view field, int depth);

  Reader reader_;
};

/// write_unsigned, write_bytes and write_text append one item; write_array, write_map and write_tag
/// append a head, and the caller must still append as many items (for a map: pairs) as it says.
void write_unsigned(Bytes& out, std::uint64_t value);
void write_bytes(Bytes& out, BytesView value);
void write_text(Bytes& out, std::string_view value);
void write_array(Bytes& out, std::uint64_t items);
void write_map(Bytes& out, std::uint64_t pairs);
void write_tag(Bytes& out, std::uint64_t tag);

}  // namespace ratls::cbor
