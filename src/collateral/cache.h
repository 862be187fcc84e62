// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "collateral/highest_numbers.h"

namespace ratls::collateral {

/// CachedSource keeps what another source gave, for each platform, in memory and on disk, while it
/// is in date. Threads that miss at once cause one fetch; a failure is remembered for some seconds.
/// What is a day old or in the last third of its life is fetched anew: in the background, while the
/// old is handed out, or at once, with the old as the answer when that fails.
/// Thread-safety: any thread. Blocks: as the source does, on a miss.
class CachedSource final : public CollateralSource {
 public:
  /// name tells the source and how it is asked from all others.
  /// dir is empty for memory only.
  CachedSource(std::unique_ptr<CollateralSource> source, std::string name, TrustRoot root,
               std::filesystem::path dir, bool background, HighestNumbers numbers);
  ~CachedSource() override;  // ends a fetch in the background

  /// Errors: those of the source; collateral_superseded for numbers lower than some seen before.
  Result<std::shared_ptr<const PreparedCollateral>> find(const CollateralRequest& request) override;
  void verified(const PreparedCollateral& collateral) override { numbers_.verified(collateral); }

 private:
  using Prepared = std::shared_ptr<const PreparedCollateral>;
  using SteadyTime = std::chrono::steady_clock::time_point;

  /// Entry is one platform's.
  struct Entry {
    explicit Entry(std::filesystem::path file) : path(std::move(file)) {}
    const std::filesystem::path path;  ///< empty: memory only
    std::mutex fetching;               ///< held while something is read or fetched
    std::mutex mutex;                  ///< for what follows, never held for long
    Prepared kept;
    UnixTime fetched{};
    std::optional<Result<Prepared>> unfit;  ///< what the newest fetch gave, when it cannot be kept
    std::optional<SteadyTime> attempted;    ///< when the newest fetch ended
  };

  Result<Prepared> find_unnamed(const CollateralRequest& request);
  std::shared_ptr<Entry> entry_for(const CollateralRequest& request);
  Prepared kept_for(Entry& entry, const CollateralRequest& request);
  bool should_renew(Entry& entry, const CollateralRequest& request);
  Result<Prepared> fetch(Entry& entry, const CollateralRequest& request);
  Result<Prepared> renew(Entry& entry, const CollateralRequest& request);
  void read_disk(Entry& entry);
  // False when nothing was written: a cache that cannot be written is none.
  bool write_disk(const Entry& entry) const;
  void refresh_in_background(std::shared_ptr<Entry> entry, const CollateralRequest& request);

  const std::unique_ptr<CollateralSource> source_;
  const std::string name_;
  const TrustRoot root_;
  const std::filesystem::path dir_;
  const bool background_;
  HighestNumbers numbers_;
  std::mutex mutex_;  // for entries_ and refresher_
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  std::atomic<bool> refreshing_ = false;
  std::jthread refresher_;
};

}  // namespace ratls::collateral
