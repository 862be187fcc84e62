// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace ratls::client {

/// lower maps A to Z; nothing depends on the locale.
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// is_control is true for bytes 0 to 31 and 127.
constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// is_token says whether text is a token of RFC 9110 5.6.2, as methods and header names are.
bool is_token(std::string_view text) noexcept;

/// printable puts a question mark in place of each control character, for messages.
std::string printable(std::string_view text);

/// trimmed is text without spaces, tabs and line ends around it.
std::string_view trimmed(std::string_view text) noexcept;

}  // namespace ratls::client
