// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "server/metrics_text.h"
#include "server/plain_server.h"

namespace ratls::server {

/// start_operations lets an operator on this machine ask for /metrics, /healthz and /readyz, and
/// call reload, unless that is null, with POST /reload.
/// Errors: config_invalid for an address that is not the loopback's, listen_failed, internal.
Result<std::unique_ptr<PlainServer>> start_operations(const ServerOptions& options,
                                                      const Watched& watched,
                                                      std::function<Result<void>()> reload);

/// why_not_ready says what keeps the server from answering requests; empty when nothing does.
std::string_view why_not_ready(const Watched& watched, UnixTime now);

}  // namespace ratls::server
