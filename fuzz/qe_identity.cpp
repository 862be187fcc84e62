// SPDX-License-Identifier: Apache-2.0
#include "tcb/qe_identity.h"

#include "target.h"

// A QE identity that parses has levels, and the highest version reaches the first one.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto identity = ratls::tcb::parse_qe_identity(ratls::as_text({data, size}));
  if (!identity) {
    ratls::fuzz::require_group(identity.error());
    return 0;
  }
  ratls::fuzz::require(ratls::tcb::match_level(identity->levels, 65535) ==
                       &identity->levels.front());
  return 0;
}
