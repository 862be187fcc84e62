// SPDX-License-Identifier: Apache-2.0
#include "policy/sigstruct.h"

#include "target.h"

// What parses has the one size, and the stretch that its signature covers.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = ratls::policy::parse_sigstruct({data, size});
  if (!parsed) {
    ratls::fuzz::require(parsed.error().code() == ratls::Code::sigstruct_invalid);
    return 0;
  }
  ratls::fuzz::require(size == ratls::policy::kSigstructSize);
  ratls::fuzz::require(parsed->signed_bytes.size() == 256);
  return 0;
}
