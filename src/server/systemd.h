// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace ratls::server {

/// tell_systemd sends a state ("READY=1", "STOPPING=1") to where NOTIFY_SOCKET says, as
/// sd_notify(3) does. Without the variable, as under Gramine, nothing happens; that nobody listens
/// there is logged. Thread-safety: any thread.
void tell_systemd(std::string_view state);

/// watchdog_period is how often systemd is to be told WATCHDOG=1: twice in the time after which it
/// takes the server for dead (sd_watchdog_enabled(3)). Absent when it does not watch.
std::optional<std::chrono::microseconds> watchdog_period();

}  // namespace ratls::server
