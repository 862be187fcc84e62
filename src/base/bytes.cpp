// SPDX-License-Identifier: Apache-2.0
#include "ratls/bytes.h"

namespace ratls {

std::string to_hex(BytesView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(bytes.size() * 2, '0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return out;
}

namespace {
int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

Result<Bytes> parse_hex(std::string_view text, std::size_t max_bytes, std::string_view what) {
  if (text.size() % 2 != 0) {
    return Error(Code::malformed_hex, std::string(what), "an odd number of hex digits");
  }
  if (text.size() / 2 > max_bytes) {
    return Error(Code::malformed_hex, std::string(what),
                 "more than " + std::to_string(max_bytes) + " bytes");
  }
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_value(text[i]);
    const int low = digit_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return Error(Code::malformed_hex, std::string(what),
                   "no hex digits at character " + std::to_string(i));
    }
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return out;
}

}  // namespace ratls
