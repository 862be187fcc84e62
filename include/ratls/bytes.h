// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ratls/result.h"

namespace ratls {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

/// FixedBytes is N bytes with a meaning: two of different Tag do not convert into each other, so
/// that a signer's measurement cannot be compared with an enclave's by mistake.
template <std::size_t N, class Tag>
struct FixedBytes {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> bytes{};

  BytesView view() const noexcept { return bytes; }
  auto operator<=>(const FixedBytes&) const = default;
};

/// to_hex gives two lower-case hex digits for each byte.
std::string to_hex(BytesView bytes);
template <std::size_t N, class Tag>
std::string to_hex(const FixedBytes<N, Tag>& value) {
  return to_hex(value.view());
}

/// parse_hex reads an even number of hex digits in either case and nothing else; at most
/// max_bytes of output. Errors: malformed_hex, with what as the place.
Result<Bytes> parse_hex(std::string_view text, std::size_t max_bytes, std::string_view what);

/// parse_fixed_hex reads exactly 2 * N hex digits. Errors: malformed_hex, with what as the place.
template <class Fixed>
Result<Fixed> parse_fixed_hex(std::string_view text, std::string_view what) {
  if (text.size() != 2 * Fixed::kSize) {
    return Error(Code::malformed_hex, std::string(what),
                 std::to_string(2 * Fixed::kSize) + " hex digits are needed, got " +
                     std::to_string(text.size()) + " characters");
  }
  RATLS_TRY(Bytes bytes, parse_hex(text, Fixed::kSize, what));
  Fixed out;
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  return out;
}

}  // namespace ratls
