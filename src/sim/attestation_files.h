// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "sim/platform.h"
#include "sim/pseudo_files.h"

namespace ratls::sim {

/// AttestationFiles is Gramine's /dev/attestation: attestation_type, user_report_data and quote. As
/// with Gramine, every write replaces the whole report data (more than 64 bytes are EINVAL) and the
/// quote is made when its file is opened. Gramine's files for local attestation are left out: there
/// is no other enclave on the platform. There is one report data, where Gramine has one for each
/// process. Thread-safety: none.
class AttestationFiles final : public PseudoFiles {
 public:
  explicit AttestationFiles(const Platform& platform) : platform_(platform) {}

  std::optional<Attributes> find(std::string_view path) const override;
  std::vector<std::string> names(std::string_view folder) const override;
  /// open makes the quote for "/quote", for this handle alone.
  Opened open(std::string_view path, Access access) override;
  BytesView read(std::uint64_t handle, std::size_t offset, std::size_t size) const override;
  /// write replaces the whole report data.
  int write(std::string_view path, BytesView data) override;
  void close(std::uint64_t handle) override;
  int make_folder(std::string_view path) override;
  int remove_folder(std::string_view path) override;

 private:
  Platform platform_;
  ReportData report_data_;
  std::map<std::uint64_t, std::optional<Bytes>> open_files_;  ///< nothing: the report data, live
  std::uint64_t next_handle_ = 1;
};

}  // namespace ratls::sim
