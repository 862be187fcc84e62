// SPDX-License-Identifier: Apache-2.0
#include "x509/crl.h"

#include "target.h"

// Serials of a list that parses are sorted, as the search in it needs.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto crl = ratls::x509::parse_crl({data, size}, "crl");
  if (!crl) {
    ratls::fuzz::require_group(crl.error());
    return 0;
  }
  ratls::fuzz::require(std::ranges::is_sorted(crl->revoked_serials));
  return 0;
}
