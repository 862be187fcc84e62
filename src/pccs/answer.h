// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "ratls/bytes.h"

namespace ratls::pccs {

/// decode_chain takes the percent-encoding off a header of a service's answer.
/// Errors: collateral_malformed.
Result<std::string> decode_chain(std::string_view header);

}  // namespace ratls::pccs
