// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/text.h"

namespace ratls::client {

using ratls::printable;

/// is_token says whether text is a token of RFC 9110 5.6.2, as methods and header names are.
bool is_token(std::string_view text) noexcept;

}  // namespace ratls::client
