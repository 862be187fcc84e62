// SPDX-License-Identifier: Apache-2.0
#include "toml/toml_value.h"

#include <algorithm>
#include <stdexcept>

namespace {
[[noreturn]] bool refuse_text() { throw std::logic_error("a precondition is broken"); }
}  // namespace

// Compiled into this file alone, because its limits and its assertions are changed here: toml++ 3.3
// enters some functions with a broken precondition on malformed input ("[&", "[[["), which would be
// undefined behaviour with NDEBUG and an abort without. Here a failed assertion refuses the text.
#undef NDEBUG
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 8
#define TOML_ASSERT(condition) static_cast<void>((condition) || ::refuse_text())
#include <toml++/toml.h>

namespace ratls::toml {
namespace {

constexpr std::size_t kMaxDotsInLine = 16;
constexpr std::size_t kMaxShownText = 200;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

Error toml_error(unsigned line, std::string detail) {
  return Error(Code::config_invalid, "line " + std::to_string(line), std::move(detail));
}

// What a line has outside of strings and comments. Exact because TOML 1.0 ends both with the line
// once multi-line strings are excluded.
struct BareText {
  std::size_t dots = 0;
  bool has_other_scripts = false;  ///< or a string glued to what is before it has them
};

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

BareText bare_text(std::string_view line) {
  BareText bare;
  char quote = '\0';
  char before = ' ';  // the character before the opening quote
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool in_string = quote != '\0';
    const bool is_apart = before == ' ' || before == '\t' || before == ',';
    if (!is_ascii(c) && !(in_string && is_apart)) bare.has_other_scripts = true;
    if (in_string) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
      before = i == 0 ? ' ' : line[i - 1];
    } else if (c == '#') {
      break;
    } else if (c == '.') {
      ++bare.dots;
    }
  }
  return bare;
}

// toml++ 3.3 bounds the depth of values, but not that of dotted keys: a long one exhausts the stack
// when its nested tables are destroyed. And it has undefined behaviour on some characters outside
// of ASCII where TOML 1.0 allows none; a value without quotes it reads on to the next space or
// comma, over quotes.
Result<void> check_line(std::string_view line, unsigned number) {
  if (line.find("\"\"\"") != std::string_view::npos || line.find("'''") != std::string_view::npos) {
    return toml_error(number, "multi-line strings are not supported");
  }
  const BareText bare = bare_text(line);
  if (bare.has_other_scripts) {
    return toml_error(number,
                      "characters outside of ASCII are allowed in comments, and in strings with a "
                      "space before the quote");
  }
  if (bare.dots > kMaxDotsInLine) {
    return toml_error(number, "more than " + std::to_string(kMaxDotsInLine) +
                                  " dots outside of strings in one line");
  }
  return {};
}

Result<void> check_lines(std::string_view text) {
  for (unsigned number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    RATLS_CHECK(check_line(text.substr(0, end), number));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<std::string> plain_text(std::string_view text, unsigned line) {
  if (std::ranges::any_of(text, is_control)) {
    return toml_error(line, "control characters are not allowed in \"" + printable(text) + "\"");
  }
  return std::string(text);
}

Result<TomlValue> convert(const ::toml::node& node);

Result<TomlValue::Table> convert_table(const ::toml::table& table) {
  TomlValue::Table members;
  for (const auto& [key, node] : table) {
    RATLS_TRY(std::string name, plain_text(key.str(), key.source().begin.line));
    RATLS_TRY(TomlValue value, convert(node));
    value.line = key.source().begin.line;
    members.push_back({std::move(name), std::move(value)});
  }
  // toml++ sorts by key; in the order of the lines the first mistake is reported first.
  std::ranges::stable_sort(members, {}, [](const TomlMember& member) { return member.value.line; });
  return members;
}

Result<TomlValue::Array> convert_array(const ::toml::array& array) {
  TomlValue::Array items;
  for (const ::toml::node& node : array) {
    RATLS_TRY(TomlValue item, convert(node));
    items.push_back(std::move(item));
  }
  return items;
}

// Recursion is bounded: check_line and TOML_MAX_NESTED_VALUES have bounded the document's depth.
Result<TomlValue> convert(const ::toml::node& node) {
  TomlValue value;
  value.line = node.source().begin.line;
  if (const auto* boolean = node.as_boolean()) {
    value.content = boolean->get();
  } else if (const auto* integer = node.as_integer()) {
    value.content = integer->get();
  } else if (const auto* text = node.as_string()) {
    RATLS_TRY(value.content, plain_text(text->get(), value.line));
  } else if (const auto* array = node.as_array()) {
    RATLS_TRY(value.content, convert_array(*array));
  } else if (const auto* table = node.as_table()) {
    RATLS_TRY(value.content, convert_table(*table));
  }
  return value;
}

Result<TomlValue> parse(std::string_view text, std::size_t max_size) {
  if (text.size() > max_size) {
    return Error(Code::config_invalid, "", "larger than " + std::to_string(max_size) + " bytes");
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  RATLS_CHECK(check_lines(text));
  try {
    return convert(::toml::parse(text));
  } catch (const ::toml::parse_error& error) {
    return toml_error(error.source().begin.line, printable(error.description()));
  } catch (const std::exception&) {
    return Error(Code::config_invalid, "", "the text is no TOML");
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxShownText));
  std::ranges::replace_if(out, is_control, '?');
  if (text.size() > kMaxShownText) out += "...";
  return out;
}

Result<TomlValue> parse_toml(std::string_view text, Code mistake, std::size_t max_size) {
  auto parsed = parse(text, max_size);
  if (parsed) return parsed;
  return Error(mistake, parsed.error().where(), parsed.error().detail());
}

}  // namespace ratls::toml
