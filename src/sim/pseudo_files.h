// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reader.h"

namespace ratls::sim {

/// Access is what a file is opened for.
enum class Access { read, write };

/// PseudoFiles is a folder of files whose content is made when it is asked for, without the file
/// system around it. Paths begin with a slash. Failures are error numbers of the system, as FUSE
/// wants them. Thread-safety: none.
class PseudoFiles {
 public:
  struct Attributes {
    mode_t mode = 0;
    bool is_directory = false;
  };
  /// Opened is the number of an open file, or an error number other than 0.
  struct Opened {
    std::uint64_t handle = 0;
    int error = 0;
  };

  virtual ~PseudoFiles() = default;

  /// find gives the attributes of a folder or file; none when there is no such one.
  virtual std::optional<Attributes> find(std::string_view path) const = 0;
  /// names lists a folder.
  virtual std::vector<std::string> names(std::string_view folder) const = 0;

  virtual Opened open(std::string_view path, Access access) = 0;
  /// read gives at most size bytes of an open file; empty at its end.
  virtual BytesView read(std::uint64_t handle, std::size_t offset, std::size_t size) const = 0;
  /// write replaces the whole content. Gives 0 or an error number.
  virtual int write(std::string_view path, BytesView data) = 0;
  virtual void close(std::uint64_t handle) = 0;

  /// make_folder and remove_folder give 0 or an error number.
  virtual int make_folder(std::string_view path) = 0;
  virtual int remove_folder(std::string_view path) = 0;
};

}  // namespace ratls::sim
