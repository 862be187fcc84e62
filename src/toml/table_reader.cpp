// SPDX-License-Identifier: Apache-2.0
#include "toml/table_reader.h"

#include <algorithm>

namespace ratls::toml {
Result<TableReader> TableReader::open(const TomlValue& value, std::string name, Keys known_keys,
                                      Code mistake) {
  const auto* members = std::get_if<TomlValue::Table>(&value.content);
  if (members == nullptr) {
    return Error(mistake, "line " + std::to_string(value.line) + ": " + name, "a table is needed");
  }
  const TableReader reader(*members, std::move(name), mistake);
  for (const TomlMember& member : *members) {
    if (std::ranges::find(known_keys, member.key) == known_keys.end()) {
      return Error(mistake, reader.place(member.value, member.key), "unknown key");
    }
  }
  return reader;
}

Result<TableReader> TableReader::table(std::string_view key, Keys known_keys) const {
  static const TomlValue kEmpty{TomlValue::Table(), 0};
  const TomlValue* value = find(key);
  return open(value == nullptr ? kEmpty : *value, std::string(key), known_keys, mistake_);
}

Result<std::optional<bool>> TableReader::boolean(std::string_view key) const {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::optional<bool>();
  const auto* content = std::get_if<bool>(&value->content);
  if (content == nullptr) return type_error(place(*value, key), "true or false");
  return std::optional(*content);
}

Result<std::optional<std::uint32_t>> TableReader::number(std::string_view key,
                                                         std::uint32_t max) const {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::optional<std::uint32_t>();
  const auto* content = std::get_if<std::int64_t>(&value->content);
  if (content == nullptr || *content < 0 || *content > std::int64_t{max}) {
    return type_error(place(*value, key), "a whole number from 0 to " + std::to_string(max));
  }
  return std::optional(static_cast<std::uint32_t>(*content));
}

Result<std::optional<PlacedText>> TableReader::text(std::string_view key) const {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::optional<PlacedText>();
  const auto* content = std::get_if<std::string>(&value->content);
  if (content == nullptr) return type_error(place(*value, key), "a string in quotes");
  return std::optional(PlacedText{*content, place(*value, key)});
}

Result<std::optional<std::vector<PlacedText>>> TableReader::texts(std::string_view key) const {
  const TomlValue* value = find(key);
  if (value == nullptr) return std::optional<std::vector<PlacedText>>();
  const auto* items = std::get_if<TomlValue::Array>(&value->content);
  if (items == nullptr) return type_error(place(*value, key), "a list of strings");
  std::vector<PlacedText> out;
  for (const TomlValue& item : *items) {
    const auto* content = std::get_if<std::string>(&item.content);
    if (content == nullptr) return type_error(place(item, key), "a list of strings");
    out.push_back({*content, place(item, key)});
  }
  return std::optional(std::move(out));
}

const TomlValue* TableReader::find(std::string_view key) const noexcept {
  const auto found = std::ranges::find(*members_, key, &TomlMember::key);
  return found == members_->end() ? nullptr : &found->value;
}

std::string TableReader::place(const TomlValue& value, std::string_view key) const {
  const std::string prefix = name_.empty() ? "" : name_ + ".";
  return "line " + std::to_string(value.line) + ": " + prefix + printable(key);
}

Error TableReader::type_error(std::string where, std::string_view wanted) const {
  return Error(mistake_, std::move(where), std::string(wanted) + " is needed");
}

Error TableReader::refuse(std::string_view key, std::string detail) const {
  const TomlValue* value = find(key);
  return Error(mistake_, value == nullptr ? std::string(key) : place(*value, key),
               std::move(detail));
}

}  // namespace ratls::toml
