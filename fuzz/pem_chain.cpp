// SPDX-License-Identifier: Apache-2.0
#include "target.h"
#include "x509/certificate.h"

// A chain that parses has between one and three certificates, each of which parses alone.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr auto kCode = ratls::Code::pck_chain_malformed;
  const auto chain = ratls::x509::parse_pem_chain({data, size}, 3, kCode);
  if (!chain) {
    ratls::fuzz::require_group(chain.error());
    return 0;
  }
  ratls::fuzz::require(!chain->empty() && chain->size() <= 3);
  for (const auto& certificate : *chain) {
    ratls::fuzz::require(ratls::x509::parse_certificate(certificate.der, kCode).has_value());
  }
  return 0;
}
