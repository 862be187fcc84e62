// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ratls/server.h"

namespace ratls::server {

/// belongs_to_ratls tells paths at and below /.well-known/ratls, in any spelling that an app might
/// take for one (percent-encoded, with empty or dot segments). No route is asked about them.
bool belongs_to_ratls(std::string_view path);

/// Router finds the handler of a request by method and exact path.
/// Thread-safety: add() before the first answer(); answer() from any thread.
class Router {
 public:
  void add(std::string method, std::string path, Handler handler);

  /// add_own adds a GET route below /.well-known/ratls/, with its exact path.
  void add_own(std::string path, Handler handler);

  /// answer calls the handler, that of GET for HEAD too, or makes the 404, 405 or 500. The caller
  /// leaves out the body of an answer to HEAD.
  Response answer(const Request& request) const;

 private:
  struct Route {
    std::string method;
    Handler handler;
  };
  using Routes = std::unordered_map<std::string, std::vector<Route>>;
  static Response answer_from(const Routes& routes, const Request& request);

  Routes routes_;
  Routes own_routes_;
};

}  // namespace ratls::server
