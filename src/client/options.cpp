// SPDX-License-Identifier: Apache-2.0
#include "client/options.h"

#include <algorithm>

#include "base/proxy.h"

namespace ratls::client {

Result<Proxy> choose_proxy(const ClientOptions& options, const std::string& host) {
  if (options.proxy.empty() && !options.use_environment_proxy) return Proxy{};
  RATLS_TRY(std::string url,
            options.proxy.empty() ? environment_proxy(host) : proxy_url(options.proxy));
  return Proxy{std::move(url)};
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

std::chrono::milliseconds evidence_timeout(const ClientOptions& options) {
  constexpr std::chrono::milliseconds kLongest{60000};
  return options.total_timeout.count() == 0 ? kLongest : std::min(options.total_timeout, kLongest);
}

}  // namespace ratls::client
