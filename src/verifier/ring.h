// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <vector>

namespace ratls::verifier {

/// Ring keeps the last Size entries; the oldest is forgotten first and then checked again.
/// Thread-safety: any thread.
template <class Entry, std::size_t Size>
class Ring {
 public:
  template <class Wanted>
  std::optional<Entry> find(Wanted wanted) const {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (wanted(entry)) return entry;
    }
    return std::nullopt;
  }
  void add(Entry entry) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() < Size) {
      entries_.push_back(std::move(entry));
    } else {
      entries_[next_++ % Size] = std::move(entry);
    }
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
};

}  // namespace ratls::verifier
