// SPDX-License-Identifier: Apache-2.0
#include "server/router.h"

#include <algorithm>

#include "server/http_write.h"
#include "server/log.h"

namespace ratls::server {
namespace {

Response call(const Handler& handler, const Request& request) {
  // What a handler throws may have the user's data in it, so it reaches neither client nor log.
  try {
    Response response = handler(request);
    if (is_sendable(response)) return response;
    log(LogLevel::error, "a handler gave a response with a bad status or header: " +
                             request.method + " " + request.path);
  } catch (...) {
    log(LogLevel::error, "a handler threw: " + request.method + " " + request.path);
  }
  return refusal_response({500, "The server could not answer this request."});
}

}  // namespace

void Router::add(std::string method, std::string path, Handler handler) {
  routes_[std::move(path)].push_back({std::move(method), std::move(handler)});
}

Response Router::answer(const Request& request) const {
  const auto found = routes_.find(request.path);
  if (found == routes_.end()) return refusal_response({404, "There is nothing at this path."});
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
  Response response = refusal_response({405, "This path does not know the method."});
  response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

}  // namespace ratls::server
