// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <vector>

#include "collateral/parts.h"
#include "ratls/collateral.h"

namespace ratls::verifier {

/// Trust is the trusted root, with a memory of the CAs whose signature by it was checked: every
/// quote brings one of the two that Intel has (Intel PCK profile 1.3). The memory decides nothing,
/// it only saves work: the same bytes have the same signature.
/// Thread-safety: any thread.
class Trust {
 public:
  explicit Trust(TrustRoot root) : root_(std::move(root)) {}

  const TrustRoot& root() const noexcept { return root_; }

  /// key_of_ca gives the key of a CA that the root has signed.
  /// Caller must still: check its name, its dates and that it is not revoked.
  /// Errors: pck_chain_untrusted.
  Result<crypto::P256PublicKey> key_of_ca(const x509::Certificate& ca) const;

 private:
  struct KnownCa {
    Bytes der;
    crypto::P256PublicKey key;
  };

  const TrustRoot root_;
  mutable std::mutex mutex_;
  mutable std::vector<KnownCa> known_;
};

}  // namespace ratls::verifier
