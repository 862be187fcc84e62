// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace ratls::server {

/// block_termination_signals holds SIGTERM and SIGINT back for wait_for_termination, in this thread
/// and those that it makes from then on.
void block_termination_signals();

/// termination_is_pending says whether one has come that was held back.
bool termination_is_pending();

/// block_reload_signal holds SIGHUP back likewise.
void block_reload_signal();

/// wait_for_termination waits for SIGTERM or SIGINT, and logs which it was. From then on such a
/// signal ends the process at once. Meanwhile reload, if there is one, is called for SIGHUP.
/// Blocks.
void wait_for_termination(const std::function<void()>& reload = nullptr);

}  // namespace ratls::server
