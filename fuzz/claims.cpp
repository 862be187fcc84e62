// SPDX-License-Identifier: Apache-2.0
#include "evidence/evidence.h"
#include "target.h"

// Claims that parse have one hash of a known algorithm and of its size.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto claims = ratls::evidence::parse_claims({data, size});
  if (!claims) {
    ratls::fuzz::require_group(claims.error());
    return 0;
  }
  const std::size_t length = claims->pubkey_hash.size();
  ratls::fuzz::require((claims->hash_algorithm == 1 && length == 32) ||
                       (claims->hash_algorithm == 7 && length == 48) ||
                       (claims->hash_algorithm == 8 && length == 64));
  return 0;
}
