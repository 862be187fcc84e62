// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <span>
#include <string_view>

#include "base/reader.h"
#include "sim/platform.h"

namespace ratls::sim {

/// Access is what a file is opened for.
enum class Access { read, write };

/// AttestationFiles is the content of Gramine's /dev/attestation, without the file system around
/// it. Failures are error numbers of the system, as FUSE wants them. Thread-safety: none.
class AttestationFiles {
 public:
  explicit AttestationFiles(const Platform& platform) : platform_(platform) {}

  struct Attributes {
    mode_t mode = 0;
    bool is_directory = false;
  };
  /// Opened is the number of an open file, or an error number other than 0.
  struct Opened {
    std::uint64_t handle = 0;
    int error = 0;
  };

  /// find gives the attributes of "/" or of a file; none when there is no such file.
  static std::optional<Attributes> find(std::string_view path);
  static bool writable(std::string_view path);
  static std::span<const std::string_view> names();

  /// open makes the quote for "/quote", for this handle alone.
  Opened open(std::string_view path, Access access);
  /// read gives at most size bytes of an open file; empty at its end.
  BytesView read(std::uint64_t handle, std::size_t offset, std::size_t size) const;
  /// write replaces the whole report data. Gives 0 or an error number.
  int write(std::string_view path, BytesView data);
  void close(std::uint64_t handle);

 private:
  Platform platform_;
  ReportData report_data_;
  std::map<std::uint64_t, std::optional<Bytes>> open_files_;  ///< nothing: the report data, live
  std::uint64_t next_handle_ = 1;
};

}  // namespace ratls::sim
