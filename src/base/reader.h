// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ratls/bytes.h"

namespace ratls {

/// Reader is a cursor over untrusted bytes. Each read names its field, checks the bounds first and
/// does not move when it fails; end() must be called when a structure may have no leftovers.
/// Owns: nothing; the bytes must outlive it. Thread-safety: none.
/// Errors: the code given to the constructor, with the field as the place.
class Reader {
 public:
  Reader(BytesView bytes, Code on_error) : rest_(bytes), size_(bytes.size()), code_(on_error) {}

  Result<std::uint8_t> u8(std::string_view field);
  Result<std::uint16_t> u16le(std::string_view field);
  Result<std::uint32_t> u32le(std::string_view field);
  Result<std::uint64_t> u64le(std::string_view field);
  /// bytes is a view of the next count bytes.
  Result<BytesView> bytes(std::string_view field, std::size_t count);
  template <std::size_t N>
  Result<std::array<std::uint8_t, N>> array(std::string_view field) {
    RATLS_TRY(BytesView view, bytes(field, N));
    std::array<std::uint8_t, N> out;
    std::copy(view.begin(), view.end(), out.begin());
    return out;
  }
  template <class Fixed>
  Result<Fixed> fixed(std::string_view field) {
    RATLS_TRY(auto value, array<Fixed::kSize>(field));
    return Fixed{value};
  }
  /// sub is a reader over the next count bytes, which this one skips.
  Result<Reader> sub(std::string_view field, std::size_t count);
  /// end fails when bytes are left.
  Result<void> end(std::string_view structure) const;

  std::size_t left() const noexcept { return rest_.size(); }
  std::size_t offset() const noexcept { return size_ - rest_.size(); }
  BytesView rest() const noexcept { return rest_; }
  Code code() const noexcept { return code_; }
  /// fail makes the error of this reader at its present place.
  Error fail(std::string_view field, std::string detail) const;

 private:
  BytesView rest_;
  std::size_t size_;
  Code code_;
};

/// as_bytes views text as bytes; as_text views bytes as text.
BytesView as_bytes(std::string_view text);
std::string_view as_text(BytesView bytes);

}  // namespace ratls
