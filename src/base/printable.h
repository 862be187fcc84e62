// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace ratls {

/// printable_length is the length of the character at the front of text, or 0 when it must not be
/// shown as it is: what is no UTF-8 (RFC 3629 4), control characters with those of C1 (U+0080 to
/// U+009F), line separators, and the marks that turn the direction of text (U+202A to U+202E and
/// U+2066 to U+2069).
std::size_t printable_length(std::string_view text) noexcept;

}  // namespace ratls
