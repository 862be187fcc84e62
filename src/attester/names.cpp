// SPDX-License-Identifier: Apache-2.0
#include "attester/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace ratls {
namespace {

constexpr std::size_t kMaxNames = 64;
constexpr std::size_t kMaxDnsName = 253;
constexpr std::size_t kMaxDnsLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_label_character(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-'; }

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// In one spelling, so that the same address is listed once.
std::optional<std::string> ip_address(const std::string& text) {
  std::array<unsigned char, 16> address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, text.c_str(), address.data()) == 1 &&
        ::inet_ntop(family, address.data(), out.data(), out.size()) != nullptr) {
      return std::string(out.data());
    }
  }
  return std::nullopt;
}

bool is_dns_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxDnsLabel && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, is_label_character);
}

bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxDnsName) return false;
  for (;;) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (!is_dns_label(label)) return false;
    // A number in the last place would be taken for an IPv4 address (RFC 3986 3.2.2).
    if (dot == std::string_view::npos) return !std::ranges::all_of(label, is_digit);
    name.remove_prefix(dot + 1);
  }
}

Result<std::string> certificate_name(const std::string& name) {
  // inet_pton stops at a NUL.
  if (name.find('\0') == std::string::npos) {
    if (auto address = ip_address(name)) return *std::move(address);
    std::string dns_name = lower_case(name);
    if (is_dns_name(dns_name)) return dns_name;
  }
  return Error(Code::config_invalid, "name",
               "\"" + name.substr(0, kMaxDnsName) + "\" is neither a DNS name nor an IP address");
}

}  // namespace

Result<std::vector<std::string>> certificate_names(const std::vector<std::string>& names) {
  if (names.size() > kMaxNames) {
    return Error(Code::config_invalid, "name",
                 std::to_string(names.size()) + " names, at most " + std::to_string(kMaxNames) +
                     " are possible");
  }
  std::vector<std::string> out{"localhost", "127.0.0.1", "::1"};
  for (const std::string& name : names) {
    RATLS_TRY(std::string checked, certificate_name(name));
    if (std::ranges::find(out, checked) == out.end()) out.push_back(std::move(checked));
  }
  return out;
}

}  // namespace ratls
