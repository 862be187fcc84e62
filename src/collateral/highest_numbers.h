// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "ratls/collateral.h"

namespace ratls::collateral {

/// kStapled is the source() of collateral that a server has chosen.
inline constexpr const char* kStapled = "stapled";

/// HighestNumbers remembers the highest TCB evaluation numbers and CRL numbers that authentic
/// collateral had, under one root, so that older collateral, which is authentic too, cannot take
/// its place. They are kept in a file, if there is a folder for it; a file that cannot be read
/// counts as none, because whoever can damage it could also remove it. Thread-safety: any thread.
/// Of two processes that write at once one wins; what the other had seen is learned again.
class HighestNumbers {
 public:
  /// dir: empty for memory only.
  HighestNumbers(const std::filesystem::path& dir, const TrustRoot& root, Baseline baseline);

  /// accept says which number of an authentic part is too low; when all parts are authentic it
  /// raises the numbers. What servers choose to hand out (Baseline::stapled) raises nothing yet,
  /// and may not be lower than the numbers of the standard baseline either. Errors:
  /// collateral_superseded.
  Result<void> accept(const PreparedCollateral& collateral);

  /// verified raises the numbers by what a server handed out and a verdict has accepted. Otherwise
  /// anybody could raise them, with a genuine baseline that others do not have yet.
  void verified(const PreparedCollateral& collateral);

 private:
  using Numbers = std::map<std::string, std::uint64_t, std::less<>>;
  void read();
  void raise(const PreparedCollateral& collateral);
  std::uint64_t known(const std::string& what) const;
  // False when the numbers are remembered by this process alone.
  bool write() const;

  std::filesystem::path path_;
  Baseline baseline_;
  std::string root_;    // what the names of all numbers under this root begin with
  std::string prefix_;  // and of this baseline's
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  Numbers numbers_;
};

}  // namespace ratls::collateral
