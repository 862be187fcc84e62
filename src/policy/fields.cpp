// SPDX-License-Identifier: Apache-2.0
#include "policy/fields.h"

#include <algorithm>
#include <array>

namespace ratls::policy {
namespace {

// Names repeat what is above them, so that a small document could become many times its size.
constexpr std::size_t kMaxFieldsSize = 4 * kMaxDocumentSize;

// What an entry of a list is known by, the first of these that all of its entries have as a text.
constexpr std::array<std::string_view, 3> kIdentities{"uri", "path", "name"};

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string key_text(const std::string& key) {
  return !key.empty() && std::ranges::all_of(key, is_bare) ? key : quoted(key);
}

const std::string* text_at(const toml::TomlValue& value, std::string_view key) {
  const auto* table = std::get_if<toml::TomlValue::Table>(&value.content);
  if (table == nullptr) return nullptr;
  const auto found = std::ranges::find(*table, key, &toml::TomlMember::key);
  return found == table->end() ? nullptr : std::get_if<std::string>(&found->value.content);
}

std::string_view identity_of(const toml::TomlValue::Array& entries) {
  for (const std::string_view key : kIdentities) {
    const auto has = [&](const toml::TomlValue& entry) { return text_at(entry, key) != nullptr; };
    if (!entries.empty() && std::ranges::all_of(entries, has)) return key;
  }
  return {};
}

// The depth of the recursion is that of the document, which parse_toml bounds.
class Flattener {
 public:
  Result<void> add(const std::string& name, const toml::TomlValue& value) {
    if (const auto* table = std::get_if<toml::TomlValue::Table>(&value.content)) {
      return add_table(name, *table, {}, value.line);
    }
    if (const auto* entries = std::get_if<toml::TomlValue::Array>(&value.content)) {
      if (const std::string_view key = identity_of(*entries); !key.empty()) {
        return add_entries(name, *entries, key);
      }
    }
    RATLS_TRY(std::string text, text_of(value));
    return put(name, std::move(text), value.line);
  }

  Fields fields;

 private:
  // Without the member that is part of the name already.
  Result<void> add_table(const std::string& name, const toml::TomlValue::Table& table,
                         std::string_view identity, unsigned line) {
    bool is_empty = true;
    for (const toml::TomlMember& member : table) {
      if (!identity.empty() && member.key == identity) continue;
      is_empty = false;
      RATLS_CHECK(add(name.empty() ? key_text(member.key) : name + '.' + key_text(member.key),
                      member.value));
    }
    return is_empty && !name.empty() ? put(name, "{}", line) : Result<void>{};
  }

  Result<void> add_entries(const std::string& name, const toml::TomlValue::Array& entries,
                           std::string_view key) {
    std::map<std::string, std::size_t> seen;
    for (const toml::TomlValue& entry : entries) {
      std::string entry_name = name + ' ' + quoted(*text_at(entry, key));
      const std::size_t number = ++seen[entry_name];
      if (number > 1) entry_name += " (" + std::to_string(number) + ')';
      RATLS_CHECK(
          add_table(entry_name, std::get<toml::TomlValue::Table>(entry.content), key, entry.line));
    }
    return {};
  }

  Result<std::string> text_of(const toml::TomlValue& value) {
    if (const auto* boolean = std::get_if<bool>(&value.content))
      return std::string(*boolean ? "true" : "false");
    if (const auto* number = std::get_if<std::int64_t>(&value.content)) {
      return std::to_string(*number);
    }
    if (const auto* text = std::get_if<std::string>(&value.content)) return quoted(*text);
    std::string out;
    if (const auto* entries = std::get_if<toml::TomlValue::Array>(&value.content)) {
      for (const toml::TomlValue& entry : *entries) {
        RATLS_TRY(const std::string text, text_of(entry));
        out += (out.empty() ? "" : ", ") + text;
      }
      return '[' + out + ']';
    }
    if (const auto* table = std::get_if<toml::TomlValue::Table>(&value.content)) {
      for (const toml::TomlMember& member : *table) {
        RATLS_TRY(const std::string text, text_of(member.value));
        out += (out.empty() ? "" : ", ") + key_text(member.key) + " = " + text;
      }
      return '{' + out + '}';
    }
    return Error(Code::policy_invalid, "line " + std::to_string(value.line),
                 "is a float, a date or a time");
  }

  Result<void> put(const std::string& name, std::string value, unsigned line) {
    size_ += name.size() + value.size();
    if (size_ > kMaxFieldsSize) {
      return Error(Code::policy_invalid, "line " + std::to_string(line), "names are too long");
    }
    fields.emplace(name, std::move(value));
    return {};
  }

  std::size_t size_ = 0;
};

}  // namespace

Result<Fields> fields_of(const toml::TomlValue& document) {
  Flattener flattener;
  RATLS_CHECK(flattener.add("", document));
  return std::move(flattener.fields);
}

}  // namespace ratls::policy
