// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "ratls/bytes.h"

// The forms in which documents and CRLs travel. Errors: collateral_malformed.
namespace ratls::collateral {

/// SignedText is a document as it was signed. It views the body.
struct SignedText {
  std::string_view text;
  Bytes signature;
};

/// slice_document reads {"member": {...}, "signature": "hex"}, in either order and nothing else,
/// and gives the exact bytes of the member's object; what is in it is for the parser of the
/// document, after its signature was checked.
Result<SignedText> slice_document(std::string_view body, std::string_view member);

/// decode_crl reads a CRL as DER, hex of DER or PEM; PEM stays so.
Result<Bytes> decode_crl(std::string_view body);

}  // namespace ratls::collateral
