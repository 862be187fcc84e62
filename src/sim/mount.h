// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "ratls/result.h"
#include "sim/pseudo_files.h"

namespace ratls::sim {

/// mount_files serves files at mountpoint through FUSE until SIGTERM or SIGINT or an unmount from
/// outside, then unmounts. on_ready is called once they can be used; an open that follows it may
/// wait a moment. Sizes are 0, as those of the pseudo files of Gramine and Linux.
/// Thread-safety: one call at a time in a process, because it handles signals.
/// Blocks: until the end. Errors: platform_unavailable (no FUSE, no permission, bad mount point).
Result<void> mount_files(PseudoFiles& files, const std::filesystem::path& mountpoint,
                         const std::function<void()>& on_ready);

}  // namespace ratls::sim
