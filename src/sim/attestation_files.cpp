// SPDX-License-Identifier: Apache-2.0
#include "sim/attestation_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace ratls::sim {
namespace {

constexpr std::string_view kType = "attestation_type";
constexpr std::string_view kReportData = "user_report_data";
constexpr std::string_view kQuote = "quote";
constexpr std::array<std::string_view, 3> kNames{kType, kReportData, kQuote};

std::string_view name_of(std::string_view path) {
  return path.starts_with('/') ? path.substr(1) : path;
}

bool writable(std::string_view path) { return name_of(path) == kReportData; }

Bytes copy(BytesView view) { return Bytes(view.begin(), view.end()); }

}  // namespace

std::vector<std::string> AttestationFiles::names(std::string_view) const {
  return {kNames.begin(), kNames.end()};
}

std::optional<AttestationFiles::Attributes> AttestationFiles::find(std::string_view path) const {
  if (path == "/") return Attributes{S_IFDIR | 0555, true};
  if (std::ranges::find(kNames, name_of(path)) == kNames.end()) return std::nullopt;
  return Attributes{writable(path) ? mode_t{S_IFREG | 0644} : mode_t{S_IFREG | 0444}, false};
}

AttestationFiles::Opened AttestationFiles::open(std::string_view path, Access access) {
  const std::string_view name = name_of(path);
  if (access == Access::write && !writable(path)) return {.error = EACCES};
  std::optional<Bytes> content;
  if (name == kQuote) {
    auto quote = platform_.quote(report_data_);
    if (!quote) return {.error = EIO};
    content = std::move(quote).value();
  } else if (name == kType) {
    content = copy(as_bytes("dcap"));
  } else if (name != kReportData) {
    return {.error = ENOENT};
  }
  const std::uint64_t handle = next_handle_++;
  open_files_.emplace(handle, std::move(content));
  return {.handle = handle};
}

BytesView AttestationFiles::read(std::uint64_t handle, std::size_t offset, std::size_t size) const {
  const auto file = open_files_.find(handle);
  if (file == open_files_.end()) return {};
  const BytesView content = file->second ? BytesView(*file->second) : report_data_.view();
  if (offset >= content.size()) return {};
  return content.subspan(offset, std::min(size, content.size() - offset));
}

int AttestationFiles::write(std::string_view path, BytesView data) {
  if (!writable(path)) return EACCES;
  if (data.size() > ReportData::kSize) return EINVAL;
  report_data_ = {};
  std::ranges::copy(data, report_data_.bytes.begin());
  return 0;
}

void AttestationFiles::close(std::uint64_t handle) { open_files_.erase(handle); }

int AttestationFiles::make_folder(std::string_view) { return EACCES; }

int AttestationFiles::remove_folder(std::string_view) { return EACCES; }

}  // namespace ratls::sim
