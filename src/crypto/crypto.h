// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "ratls/bytes.h"

// OpenSSL's types, named without its headers.
extern "C" {
struct evp_pkey_st;
}

namespace ratls::crypto {

using Sha256 = FixedBytes<32, struct Sha256Tag>;

/// sha256 of the concatenation of the parts.
Sha256 sha256(BytesView part);
Sha256 sha256(BytesView first, BytesView second);
Bytes sha384(BytesView bytes);  // 48 bytes
Bytes sha512(BytesView bytes);  // 64 bytes

/// constant_time_equal compares without a branch on the content; different lengths are unequal.
bool constant_time_equal(BytesView a, BytesView b) noexcept;

/// fill_random fills with bytes of OpenSSL's private generator. Errors: internal.
Result<void> fill_random(std::span<std::uint8_t> out);

/// P256PublicKey verifies ECDSA signatures with SHA-256 on P-256, from raw coordinates and with a
/// shared group, which avoids OpenSSL's slow decoding of keys.
/// Thread-safety: const calls from any thread.
class P256PublicKey {
 public:
  /// from_point takes x and y, 64 bytes, big endian. Errors: key_unsupported when the point is not
  /// on the curve.
  static Result<P256PublicKey> from_point(BytesView xy);

  /// verify checks a signature r, s (64 bytes, big endian) over SHA-256(message).
  bool verify(BytesView message, BytesView signature_rs) const;

  /// point is x and y as given.
  BytesView point() const noexcept { return point_; }

 private:
  P256PublicKey() = default;
  std::array<std::uint8_t, 64> point_{};
  std::shared_ptr<void> key_;
};

/// verify_with_spki checks an X.509 style signature (DER for ECDSA, PKCS#1 v1.5 for RSA) by a key
/// given as DER SubjectPublicKeyInfo. digest is one of "SHA256", "SHA384", "SHA512". False for
/// whatever does not verify. Slower than P256PublicKey; meant for certificates of TLS keys.
bool verify_with_spki(BytesView spki_der, std::string_view digest, BytesView message,
                      BytesView signature);

enum class KeyType { p256, p384 };

/// PrivateKey is an EC key that lives in memory only; its storage is wiped at the end.
/// Thread-safety: const calls from any thread. Move-only.
class PrivateKey {
 public:
  /// generate makes a new key. Errors: internal.
  static Result<PrivateKey> generate(KeyType type);
  /// from_pem reads an unencrypted EC key in PKCS#8, P-256 or P-384, by the curve's name.
  /// Errors: key_unsupported.
  static Result<PrivateKey> from_pem(BytesView pem);

  KeyType type() const noexcept { return type_; }
  /// spki_der is the SubjectPublicKeyInfo.
  Result<Bytes> spki_der() const;
  /// public_point is x and y, big endian; 64 bytes for P-256, 96 for P-384.
  Result<Bytes> public_point() const;
  /// sign_raw gives r and s, big endian, half the bytes each, over SHA-256 of the message.
  Result<Bytes> sign_raw(BytesView message) const;
  /// to_pem gives PKCS#8 with the label "PRIVATE KEY"; to_der the same as DER; to_sec1_der an
  /// ECPrivateKey (RFC 5915). All are secrets: wipe them after use (see wipe).
  Result<Bytes> to_pem() const;
  Result<Bytes> to_der() const;
  Result<Bytes> to_sec1_der() const;

  /// native is OpenSSL's key, owned by this object, for crypto, x509 and tls only.
  evp_pkey_st* native() const noexcept { return key_.get(); }

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  PrivateKey(evp_pkey_st* key, KeyType type) : key_(key), type_(type) {}
  std::unique_ptr<evp_pkey_st, Free> key_;
  KeyType type_;
};

/// wipe overwrites bytes in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> bytes) noexcept;

}  // namespace ratls::crypto
