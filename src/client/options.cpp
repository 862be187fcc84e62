// SPDX-License-Identifier: Apache-2.0
#include "client/options.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/proxy.h"
#include "client/text.h"

namespace ratls::client {

Result<Proxy> choose_proxy(const ClientOptions& options, const std::string& host) {
  if (options.proxy.empty() && !options.use_environment_proxy) return Proxy{};
  RATLS_TRY(std::string url,
            options.proxy.empty() ? environment_proxy(host) : proxy_url(options.proxy));
  return Proxy{std::move(url)};
}

namespace {

bool is_address(std::string text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  if (text.starts_with('[') && text.ends_with(']')) {
    return inet_pton(AF_INET6, text.substr(1, text.size() - 2).c_str(), address.data()) == 1;
  }
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// libcurl passes over what it cannot read, and has signs for more than addresses ("*", "+", "-").
bool is_resolve_entry(const std::string& entry) {
  const std::size_t name = entry.find(':');
  const std::size_t port = name == std::string::npos ? name : entry.find(':', name + 1);
  if (port == std::string::npos) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_of_name = [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  };
  const std::string host = entry.substr(0, name);
  const std::string number = entry.substr(name + 1, port - name - 1);
  return !host.empty() && host.size() <= 253 && !host.starts_with('-') &&
         std::ranges::all_of(host, is_of_name) && !number.empty() && number.size() <= 5 &&
         std::ranges::all_of(number, is_digit) && number.front() != '0' &&
         std::stoi(number) <= 65535 && is_address(entry.substr(port + 1));
}

}  // namespace

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
  for (const std::string& entry : options.resolve) {
    if (is_resolve_entry(entry)) continue;
    return Error(Code::usage, "resolve",
                 "\"" + printable(entry) +
                     "\" is not HOST:PORT:ADDRESS, as in "
                     "\"enclave.example:8000:192.0.2.1\" or with [2001:db8::1]");
  }
  return {};
}

std::chrono::milliseconds evidence_timeout(const ClientOptions& options) {
  constexpr std::chrono::milliseconds kLongest{60000};
  return options.total_timeout.count() == 0 ? kLongest : std::min(options.total_timeout, kLongest);
}

}  // namespace ratls::client
