// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/x509.h>

#include "ratls/bytes.h"

namespace ratls::tls {

/// der_of gives a certificate's bytes; none when memory has run out.
inline Bytes der_of(const X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return {};
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* out = der.data();
  if (i2d_X509(certificate, &out) != size) return {};
  return der;
}

}  // namespace ratls::tls
