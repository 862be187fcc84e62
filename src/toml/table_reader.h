// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "toml/toml_value.h"

namespace ratls::toml {

/// PlacedText is a string of the document with its place, "line 9: tcb.accept".
struct PlacedText {
  std::string text;
  std::string where;
};

/// TableReader reads one table strictly: opening it refuses unknown keys, and reading a key refuses
/// every other type than the one asked for. An absent key is an empty optional.
/// Owns: nothing; the value must outlive it. Thread-safety: const calls from any thread.
/// Errors: the code that open() was given, with line and key as the place.
class TableReader {
 public:
  using Keys = std::initializer_list<std::string_view>;

  /// open takes a table; name is its place in the document, empty for the root. mistake is the code
  /// of its errors.
  static Result<TableReader> open(const TomlValue& value, std::string name, Keys known_keys,
                                  Code mistake);
  /// table opens the table of a key; an absent one reads as empty.
  Result<TableReader> table(std::string_view key, Keys known_keys) const;

  Result<std::optional<bool>> boolean(std::string_view key) const;
  /// number reads an integer from 0 to max.
  Result<std::optional<std::uint32_t>> number(std::string_view key, std::uint32_t max) const;
  Result<std::optional<PlacedText>> text(std::string_view key) const;
  Result<std::optional<std::vector<PlacedText>>> texts(std::string_view key) const;

  /// find gives the value of a key, or null.
  const TomlValue* find(std::string_view key) const noexcept;
  /// place names a key at the line of a value: "line 4: tcb.accept".
  std::string place(const TomlValue& value, std::string_view key) const;
  /// refuse makes the error for a key that is there.
  Error refuse(std::string_view key, std::string detail) const;

 private:
  TableReader(const TomlValue::Table& members, std::string name, Code mistake)
      : members_(&members), name_(std::move(name)), mistake_(mistake) {}
  Error type_error(std::string where, std::string_view wanted) const;

  const TomlValue::Table* members_;
  std::string name_;
  Code mistake_;
};

}  // namespace ratls::toml
