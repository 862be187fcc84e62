// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>

#include "ratls/quote.h"
#include "sim/pseudo_files.h"

namespace ratls::sim {

/// TsmFiles is Linux's configfs-tsm, /sys/kernel/config/tsm/report (Documentation/ABI/testing/
/// configfs-tsm-report): each folder that is made holds provider, generation, inblob and outblob. A
/// write to inblob (64 bytes) raises the generation by one; the quote over it is made when outblob
/// is opened, and is EINVAL before there is an inblob. Thread-safety: none.
class TsmFiles final : public PseudoFiles {
 public:
  /// quote makes the content of outblob; its failure is EIO.
  using Quote = std::function<Result<Bytes>(const ReportData&)>;

  explicit TsmFiles(Quote quote, std::string provider = "tdx_guest")
      : quote_(std::move(quote)), provider_(std::move(provider)) {}

  std::optional<Attributes> find(std::string_view path) const override;
  std::vector<std::string> names(std::string_view folder) const override;
  Opened open(std::string_view path, Access access) override;
  BytesView read(std::uint64_t handle, std::size_t offset, std::size_t size) const override;
  int write(std::string_view path, BytesView data) override;
  void close(std::uint64_t handle) override;
  int make_folder(std::string_view path) override;
  int remove_folder(std::string_view path) override;

 private:
  struct Entry {
    std::optional<ReportData> inblob;
    std::uint64_t generation = 0;
  };
  struct Place {
    std::string entry;
    std::string file;  ///< empty: the folder
  };
  static Place place_of(std::string_view path);
  Result<Bytes> content(const Entry& entry, std::string_view file) const;

  Quote quote_;
  std::string provider_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::uint64_t, Bytes> open_files_;
  std::uint64_t next_handle_ = 1;
};

}  // namespace ratls::sim
