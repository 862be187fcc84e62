// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "pcs/shelf.h"
#include "server/plain_server.h"

namespace ratls::pcs {

/// ReadShelf reads what is to be served. It may be called from any thread, one call at a time.
using ReadShelf = std::function<Result<Shelf>()>;

/// serve_shelf puts the routes of the service (pcs/answer.h) on a server. The shelf is read at
/// once, and again with the first request after max_age; while that fails, the log says so and the
/// old one is served on. Errors: those of read for the first time.
Result<void> serve_shelf(server::PlainServer& server, ReadShelf read, std::chrono::seconds max_age);

}  // namespace ratls::pcs
