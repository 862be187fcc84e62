// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/crypto.h"
#include "ratls/bytes.h"
#include "ratls/time.h"

namespace ratls::x509 {

/// Oid is the content of a DER OBJECT IDENTIFIER, without tag and length.
using Oid = Bytes;

/// oid_from_text encodes "1.2.840.113741.1.13.1"; for constants only, aborts on nonsense.
Oid oid_from_text(std::string_view dotted);
/// oid_to_text decodes for messages; hex when it is no valid OID.
std::string oid_to_text(BytesView content);

/// Extension is one X.509 extension; the value is the content of its OCTET STRING.
struct Extension {
  Oid oid;
  bool critical = false;
  Bytes value;
};

/// PublicKeyKind is what the SubjectPublicKeyInfo says the key is; EC keys are p256 and p384 only
/// as a named curve with an uncompressed point.
enum class PublicKeyKind { p256, p384, rsa, other };

/// Certificate is a strictly parsed X.509 version 3 certificate (RFC 5280, DER without leniency);
/// nothing in it is verified. Fields that views would make short-lived are copies.
/// Owns: all its bytes. Thread-safety: const calls from any thread.
struct Certificate {
  Bytes der;
  Bytes tbs;                        ///< the signed bytes, tag and length included
  Oid signature_algorithm;          ///< equal inside and outside of tbs, or parsing fails
  Bytes signature;                  ///< content of the BIT STRING
  Bytes serial;                     ///< content of the INTEGER
  Bytes issuer;                     ///< DER Name
  Bytes subject;                    ///< DER Name
  std::string subject_common_name;  ///< the first; empty when it is not printable ASCII or absent
  std::string issuer_common_name;
  UnixTime not_before{};
  UnixTime not_after{};
  Bytes spki;  ///< DER SubjectPublicKeyInfo
  PublicKeyKind key_kind = PublicKeyKind::other;
  std::size_t rsa_bits = 0;  ///< size of the modulus, for rsa only
  Bytes ec_point;            ///< x and y for p256 (64) and p384 (96)
  std::vector<Extension> extensions;

  // The extensions that RFC 5280 4.2.1 defines and ratls looks at.
  std::optional<bool> is_ca;  ///< basicConstraints, when present
  std::optional<std::uint8_t> path_length;
  std::optional<std::uint16_t> key_usage;  ///< bit 0 is digitalSignature, 5 keyCertSign, 6 cRLSign
  std::optional<std::vector<Oid>> extended_key_usage;
  std::vector<std::string> dns_names;     ///< subjectAltName
  std::vector<std::string> ip_addresses;  ///< subjectAltName, as text

  /// find gives all extensions with this OID.
  std::vector<const Extension*> find(BytesView oid) const;
  /// unknown_critical gives the first critical extension that is neither one of the four above nor
  /// one of these; null when there is none. Such a certificate must not be used (RFC 5280 4.2).
  const Extension* unknown_critical(std::initializer_list<BytesView> known) const;
};

inline constexpr std::size_t kMaxCertificateSize = 64 * 1024;

/// parse_certificate reads one DER certificate and nothing after it. Duplicate extensions (the same
/// OID twice) and unknown critical ones are left in, for the caller who knows what they would mean;
/// the four that have fields in Certificate may occur once. All other RFC 5280 structure is
/// enforced, critical or not, except that names may be empty and keyUsage may end in zero bits:
/// certificates in use are like that, and both have one meaning only. Errors: on_error, so that a
/// chain's certificate and a server's can be told apart.
Result<Certificate> parse_certificate(BytesView der, Code on_error);

/// parse_pem_chain reads one to max_count PEM certificates; CRLF and blank lines are allowed, BEGIN
/// on the line of the END before it and one NUL at the end too, other text is not. Errors:
/// on_error.
Result<std::vector<Certificate>> parse_pem_chain(BytesView pem, std::size_t max_count,
                                                 Code on_error);

/// split_pem gives the DER content of each block with this label ("CERTIFICATE", "X509 CRL").
/// Errors: on_error.
Result<std::vector<Bytes>> split_pem(BytesView pem, std::string_view label, std::size_t max_count,
                                     Code on_error);

/// certificate_of_file gives the DER of the first certificate in a file of PEM or DER, also of
/// OpenSSL's TRUSTED CERTIFICATE. DER is not looked at. Errors: certificate_malformed.
Result<Bytes> certificate_of_file(BytesView file);

/// to_pem writes one block with lines of 64 characters.
std::string to_pem(BytesView der, std::string_view label);

/// p256_key gives the verifying key of a certificate with a P-256 key. Errors: on_error.
Result<crypto::P256PublicKey> p256_key(const Certificate& certificate, Code on_error);

/// signed_by checks an ECDSA-SHA256 signature of a certificate by a P-256 issuer, and that issuer
/// and subject names are the same bytes. Dates and extensions are not looked at.
bool signed_by(const Certificate& certificate, const Certificate& issuer,
               const crypto::P256PublicKey& issuer_key);

/// check_profile demands the five extensions that every certificate of Intel's PCK hierarchy has
/// (Intel SGX PCK Certificate and CRL Profile Specification, 1.3): the identifiers of issuer's and
/// subject's key, CRL distribution points, keyUsage and basicConstraints, whatever they say.
/// Errors: on_error, with where as the place.
Result<void> check_profile(const Certificate& certificate, Code on_error, std::string_view where);

/// self_signature_valid checks the certificate's signature by its own key: ECDSA on P-256 or P-384
/// or RSA (PKCS#1 v1.5), with SHA-256, SHA-384 or SHA-512.
bool self_signature_valid(const Certificate& certificate);

}  // namespace ratls::x509
