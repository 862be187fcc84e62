// SPDX-License-Identifier: Apache-2.0
#include "sim/tsm_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace ratls::sim {
namespace {

constexpr std::array<std::string_view, 4> kFiles{"provider", "generation", "inblob", "outblob"};

Bytes line(const std::string& text) {
  const BytesView bytes = as_bytes(text);
  Bytes out(bytes.begin(), bytes.end());
  out.push_back('\n');
  return out;
}

}  // namespace

TsmFiles::Place TsmFiles::place_of(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {std::string(path), ""};
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

std::optional<PseudoFiles::Attributes> TsmFiles::find(std::string_view path) const {
  if (path == "/") return Attributes{S_IFDIR | 0755, true};
  const Place place = place_of(path);
  if (!entries_.contains(place.entry)) return std::nullopt;
  if (place.file.empty()) return Attributes{S_IFDIR | 0755, true};
  if (std::ranges::find(kFiles, place.file) == kFiles.end()) return std::nullopt;
  return Attributes{place.file == "inblob" ? mode_t{S_IFREG | 0200} : mode_t{S_IFREG | 0444},
                    false};
}

std::vector<std::string> TsmFiles::names(std::string_view folder) const {
  if (folder != "/") return {kFiles.begin(), kFiles.end()};
  std::vector<std::string> names;
  for (const auto& entry : entries_) names.push_back(entry.first);
  return names;
}

Result<Bytes> TsmFiles::content(const Entry& entry, std::string_view file) const {
  if (file == "provider") return line(provider_);
  if (file == "generation") return line(std::to_string(entry.generation));
  return quote_(*entry.inblob);
}

PseudoFiles::Opened TsmFiles::open(std::string_view path, Access access) {
  const Place place = place_of(path);
  if (!find(path) || place.file.empty()) return {.error = ENOENT};
  const bool writes = access == Access::write;
  if (writes != (place.file == "inblob")) return {.error = EACCES};
  const std::uint64_t handle = next_handle_++;
  if (writes) return {.handle = handle};
  const Entry entry = entries_.at(place.entry);
  if (place.file == "outblob" && !entry.inblob) return {.error = EINVAL};
  auto made = content(entry, place.file);
  if (!made) return {.error = EIO};
  open_files_.emplace(handle, std::move(made).value());
  return {.handle = handle};
}

BytesView TsmFiles::read(std::uint64_t handle, std::size_t offset, std::size_t size) const {
  const auto file = open_files_.find(handle);
  if (file == open_files_.end() || offset >= file->second.size()) return {};
  return BytesView(file->second).subspan(offset, std::min(size, file->second.size() - offset));
}

int TsmFiles::write(std::string_view path, BytesView data) {
  const Place place = place_of(path);
  const auto entry = entries_.find(place.entry);
  if (entry == entries_.end() || place.file != "inblob") return EACCES;
  if (data.size() != ReportData::kSize) return EINVAL;
  ReportData& inblob = entry->second.inblob.emplace();
  std::ranges::copy(data, inblob.bytes.begin());
  ++entry->second.generation;
  return 0;
}

void TsmFiles::close(std::uint64_t handle) { open_files_.erase(handle); }

int TsmFiles::make_folder(std::string_view path) {
  const Place place = place_of(path);
  if (!place.file.empty()) return EACCES;
  return entries_.emplace(place.entry, Entry{}).second ? 0 : EEXIST;
}

int TsmFiles::remove_folder(std::string_view path) {
  const Place place = place_of(path);
  if (!place.file.empty()) return EACCES;
  return entries_.erase(place.entry) == 1 ? 0 : ENOENT;
}

}  // namespace ratls::sim
