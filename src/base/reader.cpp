// SPDX-License-Identifier: Apache-2.0
#include "base/reader.h"

namespace ratls {

Error Reader::fail(std::string_view field, std::string detail) const {
  return Error(code_, std::string(field),
               std::move(detail) + " at offset " + std::to_string(offset()));
}

Result<BytesView> Reader::bytes(std::string_view field, std::size_t count) {
  if (count > rest_.size()) {
    return fail(field, std::to_string(count) + " bytes are needed, " +
                           std::to_string(rest_.size()) + " are left,");
  }
  BytesView out = rest_.first(count);
  rest_ = rest_.subspan(count);
  return out;
}

namespace {
std::uint64_t little_endian(BytesView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | bytes[i - 1];
  return value;
}
}  // namespace

Result<std::uint8_t> Reader::u8(std::string_view field) {
  RATLS_TRY(BytesView view, bytes(field, 1));
  return view[0];
}
Result<std::uint16_t> Reader::u16le(std::string_view field) {
  RATLS_TRY(BytesView view, bytes(field, 2));
  return static_cast<std::uint16_t>(little_endian(view));
}
Result<std::uint32_t> Reader::u32le(std::string_view field) {
  RATLS_TRY(BytesView view, bytes(field, 4));
  return static_cast<std::uint32_t>(little_endian(view));
}
Result<std::uint64_t> Reader::u64le(std::string_view field) {
  RATLS_TRY(BytesView view, bytes(field, 8));
  return little_endian(view);
}

Result<Reader> Reader::sub(std::string_view field, std::size_t count) {
  RATLS_TRY(BytesView view, bytes(field, count));
  return Reader(view, code_);
}

Result<void> Reader::end(std::string_view structure) const {
  if (!rest_.empty()) return fail(structure, std::to_string(rest_.size()) + " bytes are left over");
  return {};
}

BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ratls
