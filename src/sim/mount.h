// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "sim/platform.h"

namespace ratls::sim {

/// mount_attestation serves Gramine's /dev/attestation files attestation_type, user_report_data and
/// quote at mountpoint through FUSE until SIGTERM or SIGINT or an unmount from outside, then
/// unmounts. on_ready is called once the files can be used; an open that follows it may wait a
/// moment. As with Gramine, every write replaces the whole report data (more than 64 bytes are
/// EINVAL), sizes are 0, and the quote is made when its file is opened. Gramine's files for local
/// attestation are left out: there is no other enclave on the platform.
/// There is one report data per mount, where Gramine has one per process.
/// Thread-safety: one call at a time in a process, because it handles signals.
/// Blocks: until the end. Errors: platform_unavailable (no FUSE, no permission, bad mount point).
Result<void> mount_attestation(const Platform& platform, const std::filesystem::path& mountpoint,
                               const std::function<void()>& on_ready);

}  // namespace ratls::sim
