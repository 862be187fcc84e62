// SPDX-License-Identifier: Apache-2.0
#include "x509/algorithms.h"
#include "x509/crl.h"
#include "x509/der.h"

namespace ratls::x509 {
namespace {

constexpr std::size_t kHalf = 32;

// The part all signed objects share; without names it would not be known whose key was meant.
bool p256_signed(BytesView tbs, BytesView algorithm, BytesView signature, const Certificate& issuer,
                 const crypto::P256PublicKey& issuer_key) {
  if (!same_bytes(algorithm, kOidEcdsaSha256)) return false;
  if (issuer.key_kind != PublicKeyKind::p256 || !same_bytes(issuer.ec_point, issuer_key.point())) {
    return false;
  }
  const auto raw = raw_p256_signature(signature, Code::certificate_malformed);
  return raw && issuer_key.verify(tbs, *raw);
}

struct SelfSignature {
  BytesView algorithm;
  bool rsa;
  std::string_view digest;
};

}  // namespace

Result<std::array<std::uint8_t, 64>> raw_p256_signature(BytesView der, Code on_error) {
  DerReader outer(der, on_error);
  RATLS_TRY(DerReader numbers, outer.enter(kTagSequence, "signature"));
  RATLS_CHECK(outer.end("signature"));
  std::array<std::uint8_t, 2 * kHalf> out{};
  for (std::size_t end : {kHalf, 2 * kHalf}) {
    RATLS_TRY(BytesView number, numbers.positive_integer("signature"));
    if (number[0] == 0) number = number.subspan(1);
    if (number.size() > kHalf) return numbers.fail("signature", "a number of more than 32 bytes");
    std::copy(number.begin(), number.end(),
              out.begin() + static_cast<std::ptrdiff_t>(end - number.size()));
  }
  RATLS_CHECK(numbers.end("signature"));
  return out;
}

Result<crypto::P256PublicKey> p256_key(const Certificate& certificate, Code on_error) {
  if (certificate.key_kind != PublicKeyKind::p256) {
    return Error(on_error, "tbs.subjectPublicKeyInfo", "a P-256 key is needed");
  }
  auto key = crypto::P256PublicKey::from_point(certificate.ec_point);
  if (!key) return Error(on_error, "tbs.subjectPublicKeyInfo", key.error().detail());
  return key;
}

bool signed_by(const Certificate& certificate, const Certificate& issuer,
               const crypto::P256PublicKey& issuer_key) {
  return same_bytes(certificate.issuer, issuer.subject) &&
         p256_signed(certificate.tbs, certificate.signature_algorithm, certificate.signature,
                     issuer, issuer_key);
}

bool signed_by(const Crl& crl, const Certificate& issuer, const crypto::P256PublicKey& issuer_key) {
  return same_bytes(crl.issuer, issuer.subject) &&
         p256_signed(crl.tbs, crl.signature_algorithm, crl.signature, issuer, issuer_key);
}

bool self_signature_valid(const Certificate& certificate) {
  const std::array<SelfSignature, 6> known{{
      {kOidEcdsaSha256, false, "SHA256"},
      {kOidEcdsaSha384, false, "SHA384"},
      {kOidEcdsaSha512, false, "SHA512"},
      {kOidRsaSha256, true, "SHA256"},
      {kOidRsaSha384, true, "SHA384"},
      {kOidRsaSha512, true, "SHA512"},
  }};
  if (certificate.key_kind == PublicKeyKind::other) return false;
  // The usual case of an attested key, at a third of the time that OpenSSL's decoding takes.
  if (certificate.key_kind == PublicKeyKind::p256 &&
      same_bytes(certificate.signature_algorithm, kOidEcdsaSha256)) {
    const auto key = p256_key(certificate, Code::key_unsupported);
    return key && p256_signed(certificate.tbs, certificate.signature_algorithm,
                              certificate.signature, certificate, *key);
  }
  for (const SelfSignature& entry : known) {
    if (same_bytes(certificate.signature_algorithm, entry.algorithm)) {
      return entry.rsa == (certificate.key_kind == PublicKeyKind::rsa) &&
             crypto::verify_with_spki(certificate.spki, entry.digest, certificate.tbs,
                                      certificate.signature);
    }
  }
  return false;
}

}  // namespace ratls::x509
