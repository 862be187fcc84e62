// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "ratls/result.h"

namespace ratls {

/// environment_proxy gives the URL of the proxy for https to a host (a name or an address, IPv6
/// with or without brackets): what https_proxy, HTTPS_PROXY, all_proxy or ALL_PROXY says, the first
/// that is set. Empty: there is none, or no_proxy (else NO_PROXY) excepts the host: "*", names,
/// which stand for their subdomains too, addresses, and ranges such as 10.0.0.0/8. Thread-safety:
/// any thread while none changes the environment. Errors: proxy_unsupported.
Result<std::string> environment_proxy(std::string_view host);

/// proxy_url adds "http://" to a proxy without a scheme. Errors: proxy_unsupported for anything but
/// http and SOCKS: with TLS to the proxy, two servers would be judged by one rule. They do not
/// repeat the text, which may hold a password.
Result<std::string> proxy_url(std::string_view text);

/// shown_proxy is a proxy's URL for messages: without user name, password and control characters.
std::string shown_proxy(std::string_view url);

}  // namespace ratls
