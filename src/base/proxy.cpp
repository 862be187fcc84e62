// SPDX-License-Identifier: Apache-2.0
#include "base/proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "base/text.h"
#include "ratls/bytes.h"

namespace ratls {
namespace {

constexpr std::array<std::string_view, 5> kSchemes = {"http", "socks4", "socks4a", "socks5",
                                                      "socks5h"};

std::string first_set(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

std::string_view without_brackets(std::string_view host) {
  if (!host.starts_with('[') || !host.ends_with(']')) return host;
  return host.substr(1, host.size() - 2);
}

// The 4 or 16 bytes of an address; empty when the text is none.
Bytes address_of(std::string_view text) {
  const std::string terminated(text);
  Bytes out(16);
  if (::inet_pton(AF_INET6, terminated.c_str(), out.data()) == 1) return out;
  out.resize(4);
  if (::inet_pton(AF_INET, terminated.c_str(), out.data()) == 1) return out;
  return {};
}

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_in_range(const Bytes& address, std::string_view range, std::string_view prefix) {
  const Bytes first = address_of(range);
  const auto bits = number_in(prefix);
  if (first.size() != address.size() || !bits || *bits > 8 * first.size()) return false;
  for (std::size_t bit = 0; bit < *bits; ++bit) {
    const int mask = 0x80 >> (bit % 8);
    if (((first[bit / 8] ^ address[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

bool is_excepted(std::string_view host, std::string_view entry) {
  const Bytes address = address_of(host);
  if (!address.empty()) {
    const std::size_t slash = entry.find('/');
    if (slash == std::string_view::npos) return address_of(without_brackets(entry)) == address;
    return is_in_range(address, without_brackets(entry.substr(0, slash)), entry.substr(slash + 1));
  }
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty() || host.size() < entry.size()) return false;
  if (!equal_ignoring_case(host.substr(host.size() - entry.size()), entry)) return false;
  if (host.size() == entry.size()) return true;
  // An address has nothing below it.
  const bool is_address = entry.back() >= '0' && entry.back() <= '9';
  return !is_address && host[host.size() - entry.size() - 1] == '.';
}

bool is_excepted_by_list(std::string_view host, std::string_view list) {
  if (trimmed(list) == "*") return true;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", "), list.size());
    if (is_excepted(host, list.substr(0, end))) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

Result<std::string> environment_proxy(std::string_view host) {
  const std::string named = first_set({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  if (named.empty()) return std::string();
  if (is_excepted_by_list(without_brackets(host), first_set({"no_proxy", "NO_PROXY"}))) {
    return std::string();
  }
  return proxy_url(named);
}

Result<std::string> proxy_url(std::string_view text) {
  if (std::ranges::any_of(text, [](char c) { return c == ' ' || is_control(c); })) {
    return Error(Code::proxy_unsupported, "proxy", "spaces or control characters in its URL");
  }
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) return "http://" + std::string(text);
  const std::string_view scheme = text.substr(0, end);
  if (std::ranges::none_of(kSchemes,
                           [&](auto known) { return equal_ignoring_case(scheme, known); })) {
    return Error(Code::proxy_unsupported, "proxy",
                 "http and socks5 proxies are supported, got " + std::string(scheme) + "://");
  }
  return std::string(text);
}

std::string shown_proxy(std::string_view url) {
  const std::size_t start = std::min(url.find("://"), url.size());
  const std::size_t authority = std::min(start + 3, url.size());
  const std::size_t at = url.rfind('@');
  if (at == std::string_view::npos || at < authority) return printable(url);
  return printable(std::string(url.substr(0, authority)) + std::string(url.substr(at + 1)));
}

}  // namespace ratls
