// SPDX-License-Identifier: Apache-2.0
#include "evidence/evidence.h"
#include "target.h"
#include "x509/pck_extension.h"

// A certificate that parses is its own bytes, whole; what reads its extensions ends with an error
// or a value.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ratls::BytesView input(data, size);
  const auto certificate =
      ratls::x509::parse_certificate(input, ratls::Code::certificate_malformed);
  if (!certificate) {
    ratls::fuzz::require_group(certificate.error());
    return 0;
  }
  ratls::fuzz::require(std::ranges::equal(certificate->der, input));
  (void)ratls::x509::parse_pck_extension(*certificate).has_value();
  (void)ratls::x509::self_signature_valid(*certificate);
  const auto evidence = ratls::evidence::read_evidence(*certificate);
  if (evidence) (void)ratls::evidence::check_binding(*evidence, *certificate).has_value();
  return 0;
}
