// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace ratls::server {

/// tell_systemd sends a state ("READY=1", "STOPPING=1") to where NOTIFY_SOCKET says, as
/// sd_notify(3) does. Without the variable, as under Gramine, nothing happens; that nobody listens
/// there is logged. Thread-safety: any thread.
void tell_systemd(std::string_view state);

}  // namespace ratls::server
