// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "server/metrics.h"
#include "server/staple.h"
#include "server/workers.h"

namespace ratls::server {

/// Watched is a running server as an operator sees it. Caller must still: keep what it names alive.
struct Watched {
  const Workers& workers;
  const ServerMetrics& metrics;
  const Staple* staple;        ///< null: no collateral is handed out
  const Upstreams* upstreams;  ///< null: there is no app
};

/// metrics_text is Prometheus' text format 0.0.4. Thread-safety: any thread.
std::string metrics_text(const Watched& watched);

}  // namespace ratls::server
