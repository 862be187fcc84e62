// SPDX-License-Identifier: Apache-2.0
#include "client/options.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>

#include "client/text.h"

namespace ratls::client {
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

bool excepted(std::string_view host, std::string_view entry) {
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty() || host.size() < entry.size()) return false;
  if (!equal_ignoring_case(host.substr(host.size() - entry.size()), entry)) return false;
  if (host.size() == entry.size()) return true;
  // An address is no domain: 0.0.1 does not stand for 127.0.0.1.
  const bool is_address = entry.back() >= '0' && entry.back() <= '9';
  return !is_address && host[host.size() - entry.size() - 1] == '.';
}

// The plain entries of no_proxy; libcurl reads address ranges too, which here are no exception.
bool excepted_by_list(std::string_view host, std::string_view list) {
  if (trimmed(list) == "*") return true;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", "), list.size());
    if (excepted(host, list.substr(0, end))) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// Without a scheme a proxy is an http one. The text may hold a password: errors do not repeat it.
Result<std::string> with_scheme(const std::string& text) {
  if (std::ranges::any_of(text, [](char c) { return c == ' ' || is_control(c); })) {
    return Error(Code::proxy_unsupported, "proxy", "spaces or control characters in its URL");
  }
  const std::size_t end = text.find("://");
  if (end == std::string::npos) return "http://" + text;
  const std::string_view scheme = std::string_view(text).substr(0, end);
  if (std::ranges::none_of(kSchemes,
                           [&](auto known) { return equal_ignoring_case(scheme, known); })) {
    return Error(Code::proxy_unsupported, "proxy",
                 "http and socks5 proxies are supported, got " + std::string(scheme) + "://");
  }
  return text;
}

}  // namespace

Result<Proxy> choose_proxy(const ClientOptions& options, const std::string& host) {
  if (!options.proxy.empty()) {
    RATLS_TRY(std::string url, with_scheme(options.proxy));
    return Proxy{.url = std::move(url), .exceptions = ""};
  }
  if (!options.use_environment_proxy) return Proxy{};
  const std::string named = first_set({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  if (named.empty()) return Proxy{};
  Proxy proxy{.url = "", .exceptions = first_set({"no_proxy", "NO_PROXY"})};
  if (excepted_by_list(host, proxy.exceptions)) return Proxy{};
  RATLS_TRY(proxy.url, with_scheme(named));
  return proxy;
}

Result<void> check_options(const ClientOptions& options) {
  if (options.connect_timeout.count() <= 0 || options.stall_timeout.count() <= 0) {
    return Error(Code::usage, "client options", "the time limits must be above zero");
  }
  if (options.total_timeout.count() < 0) {
    return Error(Code::usage, "client options", "the time limits must be above zero");
  }
  if (options.retries < 0 || options.max_redirects < 0) {
    return Error(Code::usage, "client options", "retries and redirects cannot be negative");
  }
  return {};
}

}  // namespace ratls::client
