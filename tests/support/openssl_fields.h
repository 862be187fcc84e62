// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <map>
#include <memory>
#include <string>

#include "x509/certificate.h"

namespace ratls::testing {

/// Fields are the parts of a certificate by name, as text, to compare two parsers.
using Fields = std::map<std::string, std::string>;

inline Fields fields_of(const x509::Certificate& certificate) {
  Fields out{{"tbs", to_hex(certificate.tbs)},
             {"signature_algorithm", to_hex(certificate.signature_algorithm)},
             {"signature", to_hex(certificate.signature)},
             {"serial", to_hex(certificate.serial)},
             {"issuer", to_hex(certificate.issuer)},
             {"subject", to_hex(certificate.subject)},
             {"common_name", certificate.subject_common_name},
             {"not_before", format_time(certificate.not_before)},
             {"not_after", format_time(certificate.not_after)},
             {"spki", to_hex(certificate.spki)},
             {"is_ca", std::to_string(certificate.is_ca.value_or(false))},
             {"key_usage", std::to_string(certificate.key_usage.value_or(0))}};
  for (std::size_t i = 0; i < certificate.extensions.size(); ++i) {
    const x509::Extension& extension = certificate.extensions[i];
    out["extension " + std::to_string(i)] =
        to_hex(extension.oid) + (extension.critical ? " critical " : " ") + to_hex(extension.value);
  }
  return out;
}

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

inline X509Ptr openssl_certificate(BytesView der) {
  const unsigned char* position = der.data();
  return X509Ptr(d2i_X509(nullptr, &position, static_cast<long>(der.size())), X509_free);
}

/// encoded_by gives what one of OpenSSL's i2d functions writes, as hex.
template <class Function, class Object>
std::string encoded_by(Function i2d, Object* object) {
  unsigned char* der = nullptr;
  const int size = i2d(object, &der);
  if (size <= 0) return "none";
  const std::string out = to_hex(BytesView(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return out;
}

inline std::string openssl_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "none";
  return format_time(UnixTime(std::chrono::seconds(timegm(&parts))));
}

inline std::string openssl_oid(const ASN1_OBJECT* oid) {
  return to_hex(BytesView(OBJ_get0_data(oid), OBJ_length(oid)));
}

inline std::string openssl_string(const ASN1_STRING* string) {
  return to_hex(BytesView(ASN1_STRING_get0_data(string),
                          static_cast<std::size_t>(ASN1_STRING_length(string))));
}

/// openssl_key_usage reads the bits in the order of the names; OpenSSL's own flags begin with the
/// highest bit of each byte.
inline unsigned openssl_key_usage(X509* certificate) {
  auto* bits =
      static_cast<ASN1_BIT_STRING*>(X509_get_ext_d2i(certificate, NID_key_usage, nullptr, nullptr));
  unsigned usage = 0;
  for (int bit = 0; bits != nullptr && bit < 9; ++bit) {
    if (ASN1_BIT_STRING_get_bit(bits, bit) == 1) usage |= 1U << bit;
  }
  ASN1_BIT_STRING_free(bits);
  return usage;
}

/// fields_by_openssl reads the same with d2i_X509; empty when that refuses.
inline Fields fields_by_openssl(BytesView der) {
  const X509Ptr owner = openssl_certificate(der);
  X509* certificate = owner.get();
  if (certificate == nullptr) return {};
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(&signature, &algorithm, certificate);
  const ASN1_OBJECT* algorithm_oid = nullptr;
  X509_ALGOR_get0(&algorithm_oid, nullptr, nullptr, algorithm);
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  Fields out{
      {"tbs", encoded_by(i2d_re_X509_tbs, certificate)},
      {"signature_algorithm", openssl_oid(algorithm_oid)},
      {"signature", openssl_string(signature)},
      // Without tag and length, which is one byte below 128.
      {"serial", encoded_by(i2d_ASN1_INTEGER, X509_get0_serialNumber(certificate)).substr(4)},
      {"issuer", encoded_by(i2d_X509_NAME, X509_get_issuer_name(certificate))},
      {"subject", encoded_by(i2d_X509_NAME, X509_get_subject_name(certificate))},
      {"common_name", name.data()},
      {"not_before", openssl_time(X509_get0_notBefore(certificate))},
      {"not_after", openssl_time(X509_get0_notAfter(certificate))},
      {"spki", encoded_by(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(certificate))},
      {"is_ca", std::to_string((X509_get_extension_flags(certificate) & EXFLAG_CA) != 0)},
      {"key_usage", std::to_string(openssl_key_usage(certificate))}};
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    out["extension " + std::to_string(i)] =
        openssl_oid(X509_EXTENSION_get_object(extension)) +
        (X509_EXTENSION_get_critical(extension) == 1 ? " critical " : " ") +
        openssl_string(X509_EXTENSION_get_data(extension));
  }
  return out;
}

/// openssl_understands_extensions is false when OpenSSL finds one of those it knows malformed.
inline bool openssl_understands_extensions(BytesView der) {
  const X509Ptr certificate = openssl_certificate(der);
  return certificate != nullptr &&
         (X509_get_extension_flags(certificate.get()) & EXFLAG_INVALID) == 0;
}

}  // namespace ratls::testing
