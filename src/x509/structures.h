// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "x509/certificate.h"
#include "x509/der.h"

namespace ratls::x509 {

// What certificates and revocation lists share (RFC 5280 4.1 and 5.1).

/// SignedObject is the outer SEQUENCE of both: what is signed, by which algorithm, the signature.
struct SignedObject {
  BytesView tbs;  ///< tag and length included
  DerReader tbs_content;
  BytesView algorithm;  ///< DER AlgorithmIdentifier
  BytesView algorithm_oid;
  BytesView signature;
};

/// read_signed_object reads one such SEQUENCE and nothing after it.
Result<SignedObject> read_signed_object(BytesView der, Code on_error);

/// check_inner_algorithm reads the AlgorithmIdentifier inside of the signed bytes, which must be
/// the one outside (RFC 5280 4.1.1.2 and 5.1.1.2).
Result<void> check_inner_algorithm(DerReader& tbs, const SignedObject& object);

/// AlgorithmIdentifier has at most one parameter of any type.
struct AlgorithmIdentifier {
  BytesView whole;
  BytesView oid;
  std::optional<DerElement> parameters;
};
Result<AlgorithmIdentifier> read_algorithm(DerReader& reader, std::string_view field);

/// Name is a distinguished name and its first common name, if that is text.
struct Name {
  BytesView whole;
  std::string common_name;
};
/// read_name reads a Name, which may be empty: certificates that sign themselves often leave it so.
Result<Name> read_name(DerReader& reader, std::string_view field);

/// read_serial gives the content of a positive INTEGER of at most 20 bytes and a zero for the sign
/// (RFC 5280 4.1.2.2 counts the number's bytes).
Result<BytesView> read_serial(DerReader& reader, std::string_view field);

/// read_extensions reads SEQUENCE SIZE (1..MAX) OF Extension.
Result<std::vector<Extension>> read_extensions(DerReader& reader, std::string_view field);

/// read_known_extensions fills the fields of the certificate for extensions of RFC 5280 4.2.1; each
/// of them may occur once.
Result<void> read_known_extensions(Certificate& certificate, Code on_error);

}  // namespace ratls::x509
