// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "ratls/collateral.h"

namespace ratls::collateral {

/// HighestNumbers remembers the highest TCB evaluation numbers and CRL numbers that authentic
/// collateral had, under one root, so that older collateral, which is authentic too, cannot take
/// its place. They are kept in a file, if there is a folder for it; a file that cannot be read
/// counts as none, because whoever can damage it could also remove it. Thread-safety: any thread.
/// Of two processes that write at once one wins; what the other had seen is learned again.
class HighestNumbers {
 public:
  /// dir: empty for memory only.
  HighestNumbers(const std::filesystem::path& dir, const TrustRoot& root, Baseline baseline);

  /// accept raises the numbers, or says which one is too low. Collateral whose parts are not all
  /// authentic raises nothing and is accepted: its verdict is a refusal.
  /// Errors: collateral_superseded.
  Result<void> accept(const PreparedCollateral& collateral);

 private:
  using Numbers = std::map<std::string, std::uint64_t, std::less<>>;
  void read();
  // False when the numbers are remembered by this process alone.
  bool write() const;

  std::filesystem::path path_;
  Baseline baseline_;
  std::string prefix_;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  Numbers numbers_;
};

}  // namespace ratls::collateral
