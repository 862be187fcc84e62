// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ratls/client.h"

namespace ratls::client {

/// Proxy is what libcurl is told, so that it asks no environment itself.
struct Proxy {
  std::string url;  ///< with its scheme; empty: none
};

/// choose_proxy takes ClientOptions::proxy, else what the environment says of the host
/// (base/proxy.h).
/// Errors: proxy_unsupported for anything but http and SOCKS: the TLS handshake with an https proxy
/// would be judged as if the proxy were the server.
Result<Proxy> choose_proxy(const ClientOptions& options, const std::string& host);

/// evidence_timeout is how long a server may take to make evidence for a session and to send it, a
/// byte now and then included.
std::chrono::milliseconds evidence_timeout(const ClientOptions& options);

/// check_options refuses times that are not positive and counts below zero. Errors: usage.
Result<void> check_options(const ClientOptions& options);

}  // namespace ratls::client
