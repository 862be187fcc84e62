// SPDX-License-Identifier: Apache-2.0
#include "cli/undamaged_sigstruct.h"

#include <algorithm>

#include "crypto/crypto.h"

namespace ratls::cli {
namespace {

// RFC 8017 A.1.1 in a SubjectPublicKeyInfo: all lengths are fixed, as the modulus has 3072 bits and
// the exponent is 3. SIGSTRUCT is little endian, DER big endian.
Bytes spki_of(const policy::Sigstruct& sigstruct) {
  constexpr std::array<std::uint8_t, 33> kStart{0x30, 0x82, 0x01, 0xa0,  // SubjectPublicKeyInfo
                                                0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
                                                0x48, 0x86, 0xf7,  // rsaEncryption
                                                0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,  //
                                                0x03, 0x82, 0x01, 0x8d, 0x00,        // BIT STRING
                                                0x30, 0x82, 0x01, 0x88,              // RSAPublicKey
                                                0x02, 0x82, 0x01, 0x81, 0x00};       // modulus
  constexpr std::array<std::uint8_t, 3> kExponent{0x02, 0x01, 0x03};
  Bytes spki(kStart.size() + sigstruct.modulus.size() + kExponent.size());
  auto position = std::ranges::copy(kStart, spki.begin()).out;
  position = std::ranges::reverse_copy(sigstruct.modulus, position).out;
  std::ranges::copy(kExponent, position);
  return spki;
}

// Intel SDM volume 3D, EINIT: PKCS#1 v1.5 with SHA-256.
Result<void> check_signature(const policy::Sigstruct& sigstruct) {
  const Bytes signature(sigstruct.signature.rbegin(), sigstruct.signature.rend());
  if (crypto::verify_with_spki(spki_of(sigstruct), "SHA256", sigstruct.signed_bytes, signature)) {
    return {};
  }
  return Error(Code::sigstruct_invalid, "SIGNATURE", "does not verify: the file is damaged");
}

}  // namespace

Result<policy::Sigstruct> undamaged_sigstruct(BytesView file) {
  RATLS_TRY(policy::Sigstruct sigstruct, policy::parse_sigstruct(file));
  RATLS_CHECK(check_signature(sigstruct));
  return sigstruct;
}

}  // namespace ratls::cli
