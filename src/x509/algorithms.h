// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "ratls/bytes.h"

namespace ratls::x509 {

// Contents of the OBJECT IDENTIFIERs of the algorithms that ratls knows.
inline constexpr std::array<std::uint8_t, 7> kOidEcPublicKey{0x2A, 0x86, 0x48, 0xCE,
                                                             0x3D, 0x02, 0x01};
inline constexpr std::array<std::uint8_t, 8> kOidP256{0x2A, 0x86, 0x48, 0xCE,
                                                      0x3D, 0x03, 0x01, 0x07};
inline constexpr std::array<std::uint8_t, 5> kOidP384{0x2B, 0x81, 0x04, 0x00, 0x22};
inline constexpr std::array<std::uint8_t, 9> kOidRsa{0x2A, 0x86, 0x48, 0x86, 0xF7,
                                                     0x0D, 0x01, 0x01, 0x01};
inline constexpr std::array<std::uint8_t, 8> kOidEcdsaSha256{0x2A, 0x86, 0x48, 0xCE,
                                                             0x3D, 0x04, 0x03, 0x02};
inline constexpr std::array<std::uint8_t, 8> kOidEcdsaSha384{0x2A, 0x86, 0x48, 0xCE,
                                                             0x3D, 0x04, 0x03, 0x03};
inline constexpr std::array<std::uint8_t, 8> kOidEcdsaSha512{0x2A, 0x86, 0x48, 0xCE,
                                                             0x3D, 0x04, 0x03, 0x04};
inline constexpr std::array<std::uint8_t, 9> kOidRsaSha256{0x2A, 0x86, 0x48, 0x86, 0xF7,
                                                           0x0D, 0x01, 0x01, 0x0B};
inline constexpr std::array<std::uint8_t, 9> kOidRsaSha384{0x2A, 0x86, 0x48, 0x86, 0xF7,
                                                           0x0D, 0x01, 0x01, 0x0C};
inline constexpr std::array<std::uint8_t, 9> kOidRsaSha512{0x2A, 0x86, 0x48, 0x86, 0xF7,
                                                           0x0D, 0x01, 0x01, 0x0D};

// Contents of the OBJECT IDENTIFIERs of extensions (RFC 5280 4.2.1 and 5.2): 2.5.29.N.
inline constexpr std::array<std::uint8_t, 3> kOidSubjectKeyIdentifier{0x55, 0x1D, 0x0E};
inline constexpr std::array<std::uint8_t, 3> kOidKeyUsage{0x55, 0x1D, 0x0F};
inline constexpr std::array<std::uint8_t, 3> kOidSubjectAltName{0x55, 0x1D, 0x11};
inline constexpr std::array<std::uint8_t, 3> kOidBasicConstraints{0x55, 0x1D, 0x13};
inline constexpr std::array<std::uint8_t, 3> kOidCrlNumber{0x55, 0x1D, 0x14};
inline constexpr std::array<std::uint8_t, 3> kOidReasonCode{0x55, 0x1D, 0x15};
inline constexpr std::array<std::uint8_t, 3> kOidCrlDistributionPoints{0x55, 0x1D, 0x1F};
inline constexpr std::array<std::uint8_t, 3> kOidAuthorityKeyIdentifier{0x55, 0x1D, 0x23};
inline constexpr std::array<std::uint8_t, 3> kOidExtendedKeyUsage{0x55, 0x1D, 0x25};

/// same_bytes compares public values.
inline bool same_bytes(BytesView a, BytesView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// raw_p256_signature turns an ECDSA-Sig-Value (RFC 3279 2.2.3) in strict DER, both numbers
/// positive and of at most 32 bytes, into r and s of 32 bytes each. Errors: on_error.
Result<std::array<std::uint8_t, 64>> raw_p256_signature(BytesView der, Code on_error);

}  // namespace ratls::x509
