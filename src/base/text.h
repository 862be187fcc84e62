// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// ASCII text, as HTTP and URLs have it; nothing depends on the locale. Thread-safety: any thread.
namespace ratls {

/// lower maps A to Z and leaves all else.
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// is_control is true for bytes 0 to 31 and 127.
constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// trimmed is text without spaces, tabs and line ends around it.
std::string_view trimmed(std::string_view text) noexcept;

/// printable puts a question mark in place of each control character, for messages.
std::string printable(std::string_view text);

}  // namespace ratls
