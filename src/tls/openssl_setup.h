// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ratls::tls {

/// set_up_openssl starts OpenSSL without its configuration file, so that OPENSSL_CONF (the host's
/// word inside an enclave) decides nothing. Thread-safety: any thread, any number of times.
/// Caller must still: call it before anything else of OpenSSL, which loads the file when first
/// used.
void set_up_openssl() noexcept;

}  // namespace ratls::tls
