// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "collateral/parts.h"
#include "ratls/collateral.h"
#include "verifier/ring.h"
#include "x509/pck_extension.h"

namespace ratls::verifier {

/// PckChain is leaf, intermediate and root of a platform, verified up to the trusted root.
struct PckChain {
  x509::Certificate leaf;
  x509::Certificate intermediate;
  crypto::P256PublicKey leaf_key;
  crypto::P256PublicKey intermediate_key;
  x509::PckExtension extension;
};

/// Trust is the trusted root, with a memory of what was found to be rightly signed: quotes bring
/// the same CA, a platform's the same PCK chain and, until it makes another attestation key, the
/// same QE report. The memory decides nothing, it only saves work: it knows a signature by the hash
/// of key, signer, bytes and signature together, and all that depends on time or collateral is
/// looked at each time.
/// Thread-safety: any thread.
class Trust {
 public:
  explicit Trust(TrustRoot root) : root_(std::move(root)) {}

  const TrustRoot& root() const noexcept { return root_; }

  /// signed_by is x509::signed_by, for the certificates of a PCK chain.
  /// Caller must still: check names, dates, extensions and revocation.
  bool signed_by(const x509::Certificate& certificate, const x509::Certificate& issuer,
                 const crypto::P256PublicKey& issuer_key) const;

  /// verify is key.verify(message, signature), for QE reports.
  bool verify(const crypto::P256PublicKey& key, BytesView message, BytesView signature) const;

  /// known_chain gives what remember_chain was told of the same bytes; null when nothing.
  /// Caller must still: check dates and revocation.
  std::shared_ptr<const PckChain> known_chain(BytesView certification_data) const;
  void remember_chain(BytesView certification_data, std::shared_ptr<const PckChain> chain) const;

 private:
  struct KnownChain {
    Bytes certification_data;
    std::shared_ptr<const PckChain> chain;
  };

  template <class Check>
  bool once(const crypto::Sha256& proof, Check check) const;

  const TrustRoot root_;
  // More platforms than one client meets.
  mutable Ring<crypto::Sha256, 256> proofs_;
  mutable Ring<std::shared_ptr<const KnownChain>, 64> chains_;
};

}  // namespace ratls::verifier
