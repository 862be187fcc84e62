// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/reader.h"

/// LLVMFuzzerTestOneInput is what libFuzzer, and replay.cpp without it, calls with each input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace ratls::fuzz {

/// require ends the process when an invariant does not hold, in every build.
inline void require(bool invariant) {
  if (!invariant) std::abort();
}

/// require_group says that an error belongs to the group of refused input: 3 malformed, or 4 for
/// chains and revocation lists.
inline void require_group(const Error& error) {
  require(exit_code(error.code()) == 3 || exit_code(error.code()) == 4);
}

}  // namespace ratls::fuzz
