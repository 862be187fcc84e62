// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ratls::server {

/// block_termination_signals holds SIGTERM and SIGINT back for wait_for_termination, in this thread
/// and those that it makes from then on.
void block_termination_signals();

/// termination_is_pending says whether one has come that was held back.
bool termination_is_pending();

/// wait_for_termination waits for SIGTERM or SIGINT, and logs which it was. From then on such a
/// signal ends the process at once. Blocks.
void wait_for_termination();

}  // namespace ratls::server
