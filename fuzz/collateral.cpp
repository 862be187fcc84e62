// SPDX-License-Identifier: Apache-2.0
#include "ratls/collateral.h"

#include "collateral/parts.h"
#include "target.h"

// Collateral that parses is written and read again without loss, and none made by a fuzzer is
// authentic.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto collateral = ratls::parse_collateral(ratls::as_text({data, size}));
  if (!collateral) {
    ratls::fuzz::require_group(collateral.error());
    return 0;
  }
  const auto again = ratls::parse_collateral(ratls::format_collateral(*collateral));
  ratls::fuzz::require(again.has_value() && again->tcb_info == collateral->tcb_info &&
                       again->pck_crl == collateral->pck_crl);
  const auto prepared =
      ratls::PreparedCollateral::prepare(*collateral, ratls::TrustRoot::intel(), "file");
  ratls::fuzz::require(!prepared->parts().tcb_info.has_value());
  return 0;
}
