// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ratls/attester.h"

namespace ratls::launch {

enum class FileFormat { pem, der };

/// AttestedFiles is where a certificate and its key are written.
struct AttestedFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
  FileFormat format = FileFormat::pem;
};

/// write_files writes key (mode 0600) and certificate (0644), both or none. Existing files are
/// replaced, links are not followed. Blocks: on the files. Errors: usage, file_unwritable,
/// internal.
Result<void> write_files(const AttestedCertificate& certificate, const AttestedFiles& files);

struct LaunchOptions {
  AttestedFiles files;
  std::vector<std::string> command;  ///< program and arguments, at least one
};

/// run writes key (mode 0600) and certificate of a fresh attested certificate, then becomes the
/// command by exec, in the same process. It returns only on failure; files that it wrote are then
/// removed. Existing files are replaced, links are not followed.
/// Errors: usage, file_unwritable, quote_unavailable, command_not_run.
Error run(const Attester& attester, const LaunchOptions& options, UnixTime now);

}  // namespace ratls::launch
