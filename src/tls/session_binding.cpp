// SPDX-License-Identifier: Apache-2.0
#include "tls/session_binding.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string_view>

#include "crypto/openssl_objects.h"
#include "tls/certificate_der.h"
#include "x509/certificate.h"

namespace ratls::tls {
namespace {

// RFC 5705 4: labels that are not registered begin with EXPERIMENTAL.
constexpr std::string_view kLabel = "EXPERIMENTAL-ratls-session-evidence";

}  // namespace

std::optional<SessionExporter> export_session(ssl_st* ssl, const SessionNonce& nonce) {
  const crypto::ErrorMark mark;
  if (SSL_is_init_finished(ssl) != 1 || SSL_version(ssl) != TLS1_3_VERSION) return std::nullopt;
  SessionExporter exporter;
  const int derived =
      SSL_export_keying_material(ssl, exporter.bytes.data(), exporter.bytes.size(), kLabel.data(),
                                 kLabel.size(), nonce.bytes.data(), nonce.bytes.size(), 1);
  if (derived != 1) return std::nullopt;
  return exporter;
}

std::optional<SessionBinding> bind_session(ssl_st* ssl, const SessionNonce& nonce) {
  const auto exporter = export_session(ssl, nonce);
  const X509* own = SSL_get_certificate(ssl);
  if (!exporter || own == nullptr) return std::nullopt;
  const auto certificate = x509::parse_certificate(der_of(own), Code::internal);
  if (!certificate) return std::nullopt;
  return SessionBinding{certificate->spki, certificate->not_after, *exporter};
}

}  // namespace ratls::tls
