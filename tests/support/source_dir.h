// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace ratls::testing {

/// source_dir is the checkout that the running test was built in, found above the program; not by
/// __FILE__, which is relative where checkouts share compiled objects. "" when there is none.
inline std::filesystem::path source_dir() {
  std::error_code error;
  auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  while (!std::filesystem::exists(folder / "CMakePresets.json", error)) {
    if (folder == folder.parent_path()) return {};
    folder = folder.parent_path();
  }
  return folder;
}

}  // namespace ratls::testing
