// SPDX-License-Identifier: Apache-2.0
#include "server/builtin_routes.h"

#include <algorithm>
#include <map>

#include "server/log.h"

namespace ratls {
namespace {

using nlohmann::json;

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

Response greet(const Request&) {
  static const Response greeting = Response::json({{"message", "Hello World"}});
  return greeting;
}

Response show_headers(const Request& request) {
  std::map<std::string, std::string> joined;
  for (const auto& [name, value] : request.headers) {
    // RFC 9110 5.3: a header that is there several times is the list of its values.
    const auto [place, is_new] = joined.try_emplace(lower_case(name), value);
    if (!is_new) place->second += ", " + value;
  }
  return Response::json({{"headers", joined}});
}

/// unprocessable explains itself in the form of FastAPI's validation errors.
Response unprocessable(json place, std::string_view message, std::string_view type) {
  const json entry = {{"loc", std::move(place)}, {"msg", message}, {"type", type}};
  return Response::json({{"detail", json::array({entry})}}, 422);
}

Response log_body(const Request& request) {
  const Result<json> body = request.json();
  if (!body) {
    return unprocessable(json::array({"body"}), body.error().detail(), "value_error.jsondecode");
  }
  if (!body->is_object()) {
    return unprocessable(json::array({"body"}), "value is not an object", "type_error.dict");
  }
  const json place = json::array({"body", "message"});
  const auto message = body->find("message");
  if (message == body->end()) {
    return unprocessable(place, "field required", "value_error.missing");
  }
  if (!message->is_string()) return unprocessable(place, "str type expected", "type_error.str");
  // Beside a message of ours: nothing that a client says looks like a line of the server's.
  server::log(server::LogLevel::info, "a client says",
              {{"text", message->get_ref<const std::string&>()}});
  return Response::json({{"message", "Success"}});
}

}  // namespace

void add_builtin_routes(Server& server) {
  server.route("GET", "/", greet)
      .route("GET", "/get_headers", show_headers)
      .route("POST", "/log_body", log_body);
}

}  // namespace ratls
