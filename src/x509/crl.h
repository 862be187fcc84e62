// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "x509/certificate.h"

namespace ratls::x509 {

/// Crl is a strictly parsed X.509 version 2 certificate revocation list; nothing in it is verified.
/// Thread-safety: const calls from any thread.
struct Crl {
  Bytes tbs;
  Oid signature_algorithm;
  Bytes signature;
  Bytes issuer;  ///< DER Name
  UnixTime this_update{};
  UnixTime next_update{};              ///< mandatory here
  std::vector<Bytes> revoked_serials;  ///< sorted contents of the INTEGERs
  std::optional<Bytes> crl_number;     ///< content of the INTEGER

  bool revokes(const Certificate& certificate) const;
};

inline constexpr std::size_t kMaxCrlSize = 4 * 1024 * 1024;

/// parse_crl reads DER, or one PEM block "X509 CRL", and nothing after it. Unknown critical
/// extensions are refused (RFC 5280 5.2). Errors: crl_malformed, with what as the place.
Result<Crl> parse_crl(BytesView bytes, std::string_view what);

/// signed_by checks an ECDSA-SHA256 signature by a P-256 issuer and that the names are the same
/// bytes. Dates are not looked at.
bool signed_by(const Crl& crl, const Certificate& issuer, const crypto::P256PublicKey& issuer_key);

}  // namespace ratls::x509
