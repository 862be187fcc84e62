// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "ratls/collateral.h"

namespace ratls::compat {

/// DeferredSource stands before a source for one verification whose verdict is not the last word:
/// the source hears of an acceptance only when it is confirmed. Thread-safety: one thread; source
/// must outlive it. Blocks, Errors: as source.
class DeferredSource final : public CollateralSource {
 public:
  explicit DeferredSource(CollateralSource& source) : source_(source) {}

  Result<std::shared_ptr<const PreparedCollateral>> find(
      const CollateralRequest& request) override {
    RATLS_TRY(found_, source_.find(request));
    return found_;
  }
  void verified(const PreparedCollateral&) override { accepted_ = found_; }

  /// confirm tells the source of the acceptance, if there was one.
  void confirm() {
    if (accepted_ != nullptr) source_.verified(*accepted_);
  }

 private:
  CollateralSource& source_;
  std::shared_ptr<const PreparedCollateral> found_;
  std::shared_ptr<const PreparedCollateral> accepted_;
};

}  // namespace ratls::compat
