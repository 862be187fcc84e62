// SPDX-License-Identifier: Apache-2.0
#include "evidence/evidence.h"
#include "target.h"

// Evidence that parses is written back as the same bytes: there is one encoding only.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ratls::BytesView input(data, size);
  const auto parts = ratls::evidence::parse_dice(input);
  if (!parts) {
    ratls::fuzz::require_group(parts.error());
    return 0;
  }
  ratls::fuzz::require(
      std::ranges::equal(ratls::evidence::write_dice(parts->quote, parts->claims), input));
  return 0;
}
