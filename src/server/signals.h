// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>

namespace ratls::server {

/// block_termination_signals holds SIGTERM and SIGINT back for wait_for_termination, in this thread
/// and those that it makes from then on.
void block_termination_signals();

/// termination_is_pending says whether one has come that was held back.
bool termination_is_pending();

/// block_reload_signal holds SIGHUP back likewise.
void block_reload_signal();

/// WhileWaiting is what is done until the end: reload for SIGHUP, beat at least once in each
/// beat_period.
struct WhileWaiting {
  std::function<void()> reload;
  std::optional<std::chrono::microseconds> beat_period;
  std::function<void()> beat;
};
/// wait_for_termination waits for SIGTERM or SIGINT, and logs which it was. From then on such a
/// signal ends the process at once. Blocks.
void wait_for_termination(const WhileWaiting& meanwhile = {});

}  // namespace ratls::server
