// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ratls/quote.h"

namespace ratls::policy {

inline constexpr std::size_t kSigstructSize = 1808;
inline constexpr std::size_t kSigstructKeySize = 384;

/// Sigstruct is what a signer states of an enclave (Intel SDM volume 3D, "Enclave Signature
/// Structure"). Its signature is not checked here; MRSIGNER is the SHA-256 of modulus.
struct Sigstruct {
  std::array<std::uint8_t, kSigstructKeySize> modulus;    ///< RSA-3072, little endian
  std::array<std::uint8_t, kSigstructKeySize> signature;  ///< PKCS#1 v1.5, SHA-256, little endian
  Bytes signed_bytes;                                     ///< what the signature is over
  std::uint32_t vendor = 0;
  std::uint32_t date = 0;  ///< when it was signed, the signer's word: 0x20261128
  std::uint32_t sw_defined = 0;
  std::uint32_t misc_select = 0;
  std::uint32_t misc_select_mask = 0;
  std::array<std::uint8_t, 1> cet_attributes;
  std::array<std::uint8_t, 1> cet_attributes_mask;
  IsvFamilyId isv_family_id;
  SgxAttributes attributes;
  SgxAttributes attributes_mask;
  MrEnclave mr_enclave;
  IsvExtProdId isv_ext_prod_id;
  std::uint16_t isv_prod_id = 0;
  std::uint16_t isv_svn = 0;
};

/// parse_sigstruct reads a .sig file of Gramine's, with the checks of the instruction EINIT on
/// headers, reserved bytes, exponent and modulus. Errors: sigstruct_invalid.
Result<Sigstruct> parse_sigstruct(BytesView file);

}  // namespace ratls::policy
