// SPDX-License-Identifier: Apache-2.0
#include "server/router.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "http/write.h"
#include "server/log.h"

namespace ratls::server {
namespace {

Response call(const Handler& handler, const Request& request) {
  // What a handler throws may have the user's data in it, so it reaches neither client nor log.
  try {
    Response response = handler(request);
    if (http::is_sendable(response)) return response;
    log(LogLevel::error, "a handler gave a response with a bad status or header: " +
                             request.method + " " + request.path);
  } catch (...) {
    log(LogLevel::error, "a handler threw: " + request.method + " " + request.path);
  }
  return http::refusal_response({500, "The server could not answer this request."});
}

constexpr std::string_view kReserved = "/.well-known/ratls";

// RFC 3986 6.2.2.2: %72 is another spelling of r.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto digits = text.substr(at, 3);
    unsigned value = 0;
    if (digits.size() == 3 && digits[0] == '%') {
      const auto read = std::from_chars(digits.data() + 1, digits.data() + 3, value, 16);
      if (read.ec == std::errc() && read.ptr == digits.data() + 3) {
        out += static_cast<char>(value);
        at += 2;
        continue;
      }
    }
    out += text[at];
  }
  return out;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

bool belongs_to_ratls(std::string_view path) {
  if (is_below(path, kReserved)) return true;
  const bool is_plain =
      path.find('%') == path.npos && path.find("//") == path.npos && path.find("/.") == path.npos;
  if (is_plain) return false;
  const std::filesystem::path decoded(percent_decoded(path));
  return is_below(decoded.lexically_normal().generic_string(), kReserved);
}

void Router::add(std::string method, std::string path, Handler handler) {
  routes_[std::move(path)].push_back({std::move(method), std::move(handler)});
}

void Router::add_own(std::string path, Handler handler) {
  own_routes_[std::move(path)].push_back({"GET", std::move(handler)});
}

Response Router::answer(const Request& request) const {
  return answer_from(belongs_to_ratls(request.path) ? own_routes_ : routes_, request);
}

Response Router::answer_from(const Routes& all, const Request& request) {
  const auto found = all.find(request.path);
  if (found == all.end()) return http::refusal_response({404, "There is nothing at this path."});
  const std::vector<Route>& routes = found->second;
  const auto of_method = [&](std::string_view method) {
    return std::ranges::find(routes, method, &Route::method);
  };
  auto route = of_method(request.method);
  if (route == routes.end() && request.method == "HEAD") route = of_method("GET");
  if (route != routes.end()) return call(route->handler, request);

  std::string allowed;
  for (const Route& known : routes) {
    if (!allowed.empty()) allowed += ", ";
    allowed += known.method;
    if (known.method == "GET" && of_method("HEAD") == routes.end()) allowed += ", HEAD";
  }
  Response response = http::refusal_response({405, "This path does not know the method."});
  response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

}  // namespace ratls::server
