// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ratls::tls {

/// set_up_openssl starts OpenSSL without its configuration file, so that OPENSSL_CONF (the host's
/// word inside an enclave) decides nothing. Thread-safety: any thread, any number of times.
/// Caller must still: call it before anything else of OpenSSL, which loads the file when first
/// used.
void set_up_openssl() noexcept;

/// kTls13Ciphers is the order of servers and clients (docs/decisions/023-aes-128-first.md).
inline constexpr const char* kTls13Ciphers =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

}  // namespace ratls::tls
