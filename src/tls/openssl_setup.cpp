// SPDX-License-Identifier: Apache-2.0
#include "tls/openssl_setup.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

namespace ratls::tls {

void set_up_openssl() noexcept {
  // A later default initialisation does not load the file any more.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

}  // namespace ratls::tls
