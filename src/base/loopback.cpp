// SPDX-License-Identifier: Apache-2.0
#include "base/loopback.h"

#include "base/text.h"

namespace ratls {
namespace {

constexpr std::string_view kDigits = "0123456789";

// Leading zeros are refused: to some they mean an octal number.
bool is_decimal_byte(std::string_view text) noexcept {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return false;
  if (text.find_first_not_of(kDigits) != std::string_view::npos) return false;
  int value = 0;
  for (const char digit : text) value = value * 10 + (digit - '0');
  return value <= 255;
}

bool is_ipv4_loopback(std::string_view host) noexcept {
  if (!host.starts_with("127.")) return false;
  for (int part = 1; part < 4; ++part) {
    const std::size_t dot = host.find('.');
    if (dot == std::string_view::npos || !is_decimal_byte(host.substr(0, dot))) return false;
    host.remove_prefix(dot + 1);
  }
  return is_decimal_byte(host);
}

}  // namespace

std::string_view host_of(std::string_view authority) noexcept {
  if (!authority.starts_with('[')) return authority.substr(0, authority.find(':'));
  const std::size_t end = authority.find(']');
  if (end == std::string_view::npos) return {};
  const std::string_view rest = authority.substr(end + 1);
  return rest.empty() || rest.front() == ':' ? authority.substr(0, end + 1) : std::string_view();
}

bool is_loopback(std::string_view host) noexcept {
  return equal_ignoring_case(host, "localhost") || host == "::1" || host == "[::1]" ||
         is_ipv4_loopback(host);
}

}  // namespace ratls
