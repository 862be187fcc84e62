// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "sim/mount.h"
#include "support/temporary_dir.h"

namespace ratls::testing {

/// fuse_permitted says whether this process may mount FUSE at all, found without the code under
/// test.
inline bool fuse_permitted() {
  if (::geteuid() != 0) return ::access("/usr/bin/fusermount3", X_OK) == 0;
  const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) return false;
  const TemporaryDir dir;
  const std::string options =
      "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0";
  const bool mounted =
      ::mount("probe", dir.path().c_str(), "fuse", MS_NODEV | MS_NOSUID, options.c_str()) == 0;
  if (mounted) ::umount2(dir.path().c_str(), MNT_DETACH);
  ::close(device);
  return mounted;
}

/// MountedFiles serves files at a mount point from a process of its own until stop() or its end.
class MountedFiles {
 public:
  MountedFiles(sim::PseudoFiles& files, const std::filesystem::path& mountpoint) {
    std::filesystem::create_directory(mountpoint);
    std::array<int, 2> ready{-1, -1};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      const auto outcome = sim::mount_files(files, mountpoint, [&] {
        if (::write(ready[1], "r", 1) != 1) std::abort();
      });
      ::_exit(outcome ? 0 : exit_code(outcome.error().code()));
    }
    ::close(ready[1]);
    char byte = 0;
    is_ready_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  ~MountedFiles() {
    if (child_ > 0) {
      EXPECT_EQ(stop(SIGTERM), 0);
    }
  }
  MountedFiles(const MountedFiles&) = delete;
  MountedFiles& operator=(const MountedFiles&) = delete;

  bool is_ready() const { return is_ready_; }

  /// stop and wait give the exit code of the mounting process, or minus the signal that ended it.
  int stop(int signal_number) {
    ::kill(child_, signal_number);
    return wait();
  }
  int wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t child_ = -1;
  bool is_ready_ = false;
};

}  // namespace ratls::testing
