// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ratls/result.h"

namespace ratls::toml {

struct TomlMember;

/// TomlValue is one value of a TOML document with the line where it begins. Floats, dates and times
/// mean nothing to us and are kept as std::monostate, which no reader accepts.
/// Owns: all below it. Thread-safety: a value.
struct TomlValue {
  using Array = std::vector<TomlValue>;
  using Table = std::vector<TomlMember>;  ///< in the order of the lines, no key twice

  std::variant<std::monostate, bool, std::int64_t, std::string, Array, Table> content;
  unsigned line = 0;
};

/// TomlMember is one key of a table.
struct TomlMember {
  std::string key;
  TomlValue value;
};

inline constexpr std::size_t kMaxTomlSize = 1024 * 1024;

/// parse_toml reads a TOML 1.0 document of at most max_size bytes; the value is its root
/// table. Deviations from TOML 1.0, which keep the parser from exhausting the stack: multi-line
/// strings are refused, and so are more than 16 dots outside of strings in one line and values
/// nested deeper than 8. A string with characters outside of ASCII must stand apart from what
/// is before its quote. Control characters are refused in keys and strings, escaped ones too.
/// Errors: mistake, with the line as the place.
Result<TomlValue> parse_toml(std::string_view text, Code mistake,
                             std::size_t max_size = kMaxTomlSize);

/// printable makes text fit for one line of an error message: control characters become '?', and
/// what is long is cut.
std::string printable(std::string_view text);

}  // namespace ratls::toml
