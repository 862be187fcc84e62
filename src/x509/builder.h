// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>

#include "x509/certificate.h"

namespace ratls::x509 {

/// der_tlv writes one DER element: tag, minimal length, content.
Bytes der_tlv(std::uint8_t tag, BytesView content);
/// der_sequence writes a SEQUENCE of the parts, which are already DER.
Bytes der_sequence(std::initializer_list<Bytes> parts);
Bytes der_integer(std::uint64_t value);
Bytes der_oid(BytesView oid_content);
Bytes der_octet_string(BytesView content);

/// NameAttribute is one attribute of a distinguished name, written as UTF8String; countryName as
/// PrintableString.
struct NameAttribute {
  std::string short_name;  ///< "CN", "O", "L", "ST", "C"
  std::string value;
};

/// CertificateSpec is what build_certificate writes down: version 3, positive serial.
struct CertificateSpec {
  Bytes serial;  ///< 1 to 20 bytes, big endian, read as a positive number
  std::vector<NameAttribute> subject;
  std::vector<NameAttribute> issuer;
  UnixTime not_before{};
  UnixTime not_after{};
  Bytes subject_spki;                 ///< DER
  std::vector<Extension> extensions;  ///< written in this order, any OID content
};

/// build_certificate signs with ECDSA and SHA-256. The result is DER. Errors: internal, also for a
/// spec that cannot be written down (a serial, name, date or key of the wrong form).
Result<Bytes> build_certificate(const CertificateSpec& spec, const crypto::PrivateKey& issuer_key);

/// CrlSpec is what build_crl writes down: version 2 with a CRL number and the identifier of the
/// issuer's key.
struct CrlSpec {
  std::vector<NameAttribute> issuer;
  UnixTime this_update{};
  UnixTime next_update{};
  std::uint64_t crl_number = 1;
  std::vector<Bytes> revoked_serials;
};

/// build_crl signs with ECDSA and SHA-256. The result is DER. Errors: as for build_certificate.
Result<Bytes> build_crl(const CrlSpec& spec, const crypto::PrivateKey& issuer_key);

// Extensions of RFC 5280 4.2.1, ready for CertificateSpec::extensions.
// The first two are critical.
Extension basic_constraints(bool is_ca, std::optional<std::uint8_t> path_length);
/// key_usage takes bit 0 for digitalSignature, 5 for keyCertSign, 6 for cRLSign.
Extension key_usage(std::uint16_t bits);
Extension server_auth();
/// subject_alt_names tells IP addresses from DNS names by their form.
Extension subject_alt_names(const std::vector<std::string>& names);
/// subject_key_identifier and authority_key_identifier name a key by its DER SubjectPublicKeyInfo:
/// the first 20 bytes of its SHA-256 (RFC 5280 4.2.1.2 leaves the choice to the issuer).
Extension subject_key_identifier(BytesView subject_spki);
Extension authority_key_identifier(BytesView issuer_spki);
/// crl_distribution_point names one URL.
Extension crl_distribution_point(std::string_view url);

}  // namespace ratls::x509
