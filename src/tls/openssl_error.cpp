// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>

#include <array>

#include "ratls/tls.h"

namespace ratls {

std::string last_openssl_error() {
  std::string line;
  while (unsigned long code = ERR_get_error()) {
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    if (!line.empty()) line += "; ";
    line += text.data();
  }
  return line.empty() ? "OpenSSL gives no reason" : line;
}

}  // namespace ratls
