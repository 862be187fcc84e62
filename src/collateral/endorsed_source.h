// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <mutex>

#include "collateral/highest_numbers.h"
#include "crypto/crypto.h"

namespace ratls::collateral {

/// EndorsedSource takes what the certificate that is judged brings itself
/// (CollateralRequest::endorsements). One certificate's collateral never answers for another, but
/// the highest numbers count for all. The newest few are kept prepared.
/// Thread-safety: any thread.
/// Errors: of find: collateral_unavailable when the certificate brings none, and for a quote that
/// does not name its platform, because endorsements have no PCK certificates; collateral_malformed,
/// collateral_superseded.
class EndorsedSource final : public CollateralSource {
 public:
  /// dir is where the highest numbers are kept; empty for memory only.
  EndorsedSource(const TrustRoot& root, const std::filesystem::path& dir);

  Result<std::shared_ptr<const PreparedCollateral>> find(const CollateralRequest& request) override;
  void verified(const PreparedCollateral& collateral) override { numbers_.verified(collateral); }

 private:
  using Prepared = std::shared_ptr<const PreparedCollateral>;
  struct Kept {
    crypto::Sha256 hash{};
    Prepared prepared;
  };
  Result<Prepared> prepare(const Bytes& endorsements);

  const TrustRoot root_;
  HighestNumbers numbers_;
  std::mutex mutex_;  // for what follows
  std::array<Kept, 8> kept_;
  std::size_t next_ = 0;
};

}  // namespace ratls::collateral
