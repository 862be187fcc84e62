// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "http/scan.h"
#include "ratls/http.h"

namespace ratls {
namespace {

// A JSON text nested deeper than this could exhaust the stack of a thread that writes it out again.
constexpr std::size_t kMaxJsonDepth = 100;
// A value takes up to 200 bytes of memory and two of text.
constexpr std::size_t kMaxJsonValues = 1000 * 1000;

struct JsonSize {
  std::size_t depth = 0;
  std::size_t values = 1;
};

/// json_size counts brackets and commas outside strings; of text that is no JSON it says nothing.
JsonSize json_size(std::string_view text) {
  JsonSize size;
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      size.depth = std::max(size.depth, ++depth);
      ++size.values;
    } else if (c == ',') {
      ++size.values;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return size;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return {};
}

Result<nlohmann::json> Request::json() const {
  const JsonSize size = json_size(body);
  if (size.depth > kMaxJsonDepth) {
    return Error(Code::usage, "body", "the JSON text is nested too deeply");
  }
  if (size.values > kMaxJsonValues) {
    return Error(Code::usage, "body", "the JSON text has too many values");
  }
  nlohmann::json value = nlohmann::json::parse(body, nullptr, false);
  if (value.is_discarded()) return Error(Code::usage, "body", "this is no JSON text");
  return value;
}

Response Response::json(const nlohmann::json& value, int status) {
  // Bytes that are no UTF-8, such as a header's, become U+FFFD instead of an exception.
  return {status,
          {{"Content-Type", "application/json"}},
          value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

Response Response::text(std::string body, int status) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

}  // namespace ratls
