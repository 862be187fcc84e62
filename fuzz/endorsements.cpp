// SPDX-License-Identifier: Apache-2.0
#include "ratls/collateral.h"
#include "target.h"

// What is read is the same after it was written.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = ratls::parse_endorsements({data, size});
  if (!read) {
    ratls::fuzz::require_group(read.error());
    return 0;
  }
  const auto again = ratls::parse_endorsements(ratls::format_endorsements(*read));
  ratls::fuzz::require(again &&
                       ratls::format_collateral(*again) == ratls::format_collateral(*read));
  return 0;
}
