// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ratls/result.h"

namespace ratls {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Request is one HTTP request as a handler sees it. Header names keep their spelling; find one
/// with header(). Thread-safety: a value.
struct Request {
  std::string method;
  std::string target;  ///< path and query as sent
  std::string path;    ///< without the query, not decoded
  Headers headers;
  std::string body;
  std::string peer;  ///< address and port; inside an enclave the host's word
  std::string id;    ///< of the server's making, in its log lines and in the answer

  /// header gives the first value of a header, in any spelling; empty when there is none.
  std::string_view header(std::string_view name) const;
  /// json parses the body. Errors: usage, with a text for the client.
  Result<nlohmann::json> json() const;
};

/// Response is what a handler gives back.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;

  static Response json(const nlohmann::json& value, int status = 200);
  static Response text(std::string body, int status = 200);
};

}  // namespace ratls
