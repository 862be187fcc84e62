// SPDX-License-Identifier: Apache-2.0
#include "tcb/tcb_info.h"

#include "target.h"

// TCB info that parses has levels, and a platform with the highest numbers reaches the first one.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto info = ratls::tcb::parse_tcb_info(ratls::as_text({data, size}));
  if (!info) {
    ratls::fuzz::require_group(info.error());
    return 0;
  }
  ratls::tcb::Components highest;
  highest.fill(255);
  ratls::fuzz::require(ratls::tcb::match_level(*info, {highest, 65535, highest}) ==
                       &info->levels.front());
  return 0;
}
