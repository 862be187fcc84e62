// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>

namespace ratls {

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, is_control, '?');
  return out;
}

}  // namespace ratls
