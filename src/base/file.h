// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "ratls/bytes.h"

namespace ratls {

/// read_file reads a whole file of at most max_bytes until its end; the size that the file system
/// states is not believed, because Gramine's pseudo files state 0.
/// Blocks: on the file. Errors: file_unreadable.
Result<Bytes> read_file(const std::filesystem::path& path, std::size_t max_bytes);

/// FileMode says who may read a new file.
enum class FileMode { secret = 0600, shared = 0644 };

/// write_new_file makes a file that must not exist yet (O_EXCL, O_NOFOLLOW); when writing fails it
/// is removed again. Blocks: on the file. Errors: file_unwritable.
Result<void> write_new_file(const std::filesystem::path& path, BytesView content, FileMode mode);

/// make_private_folder makes a folder that only this user may enter (0700), and its parents, unless
/// it is there. False when that cannot be done. Blocks: on the file system.
bool make_private_folder(const std::filesystem::path& path);

/// replace_file writes a temporary file beside path (O_EXCL, a random name for each call) and
/// renames it over path, so that a reader sees the old or the new content and never a part. When
/// the process is killed in it, the temporary file stays. Thread-safety: any thread, for the same
/// path too: the last one to rename wins. Blocks: on the file. Errors: file_unwritable.
Result<void> replace_file(const std::filesystem::path& path, BytesView content, FileMode mode);

/// is_temporary_of says whether a file name is one that replace_file makes beside target, which is
/// a file name too. Thread-safety: any thread.
bool is_temporary_of(std::string_view file_name, std::string_view target) noexcept;

}  // namespace ratls
