// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <mutex>

#include "collateral/parts.h"
#include "ratls/collateral.h"

namespace ratls::verifier {

/// Trust is the trusted root, with a memory of signatures that were found right: quotes bring the
/// same CA, a platform's the same PCK certificate and, until it makes another attestation key, the
/// same QE report. The memory decides nothing, it only saves work: it knows a signature by the hash
/// of key, signer, bytes and signature together, and all that depends on time or collateral is
/// looked at each time.
/// Thread-safety: any thread.
class Trust {
 public:
  explicit Trust(TrustRoot root) : root_(std::move(root)) {}

  const TrustRoot& root() const noexcept { return root_; }

  /// signed_by is x509::signed_by.
  /// Caller must still: check names, dates, extensions and revocation.
  bool signed_by(const x509::Certificate& certificate, const x509::Certificate& issuer,
                 const crypto::P256PublicKey& issuer_key) const;

  /// verify is key.verify(message, signature).
  bool verify(const crypto::P256PublicKey& key, BytesView message, BytesView signature) const;

 private:
  // More platforms than one client meets; the oldest is forgotten first and then checked again.
  static constexpr std::size_t kMaxKnown = 256;

  bool known(const crypto::Sha256& proof) const;
  void remember(const crypto::Sha256& proof) const;

  const TrustRoot root_;
  mutable std::mutex mutex_;
  mutable std::array<crypto::Sha256, kMaxKnown> known_{};
  mutable std::size_t remembered_ = 0;  // in all; also the place of the next, modulo the size
};

}  // namespace ratls::verifier
