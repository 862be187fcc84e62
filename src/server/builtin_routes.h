// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ratls/server.h"

namespace ratls {

/// add_builtin_routes makes the demonstration service: GET / greets, GET /get_headers shows the
/// request's headers, POST /log_body writes the "message" of a JSON body to the log.
void add_builtin_routes(Server& server);

}  // namespace ratls
