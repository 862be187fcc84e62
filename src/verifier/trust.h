// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "collateral/parts.h"
#include "ratls/collateral.h"
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

/// Trust is the trusted root, with a memory of what was found to be rightly signed: quotes bring
/// the same CA, a platform's the same PCK chain and, until it makes another attestation key, the
/// same QE report, and a server shows its certificate until it has a new one. The memory decides
/// nothing, it only saves work: it knows a signature by the hash of key, signer, bytes and
/// signature together, and all that depends on time, collateral or policy is looked at each time.
/// Thread-safety: any thread.
class Trust {
 public:
  explicit Trust(TrustRoot root) : root_(std::move(root)) {}

  const TrustRoot& root() const noexcept { return root_; }

  /// signed_by is x509::signed_by, for the certificates of a PCK chain.
  /// Caller must still: check names, dates, extensions and revocation.
  bool signed_by(const x509::Certificate& certificate, const x509::Certificate& issuer,
                 const crypto::P256PublicKey& issuer_key) const;

  /// verify_qe_report and verify_quote are key.verify(message, signature).
  bool verify_qe_report(const crypto::P256PublicKey& key, BytesView message,
                        BytesView signature) const;
  bool verify_quote(const crypto::P256PublicKey& key, BytesView message, BytesView signature) const;

  /// self_signature_valid is x509::self_signature_valid.
  bool self_signature_valid(const x509::Certificate& certificate) const;

  /// known_chain gives what remember_chain was told of the same bytes; null when nothing.
  /// Caller must still: check dates and revocation.
  std::shared_ptr<const PckChain> known_chain(BytesView certification_data) const;
  void remember_chain(BytesView certification_data, std::shared_ptr<const PckChain> chain) const;

 private:
  // More platforms and servers than one client meets.
  using Proofs = Ring<crypto::Sha256, 256>;
  struct KnownChain {
    Bytes certification_data;
    std::shared_ptr<const PckChain> chain;
  };

  const TrustRoot root_;
  // Apart, because many quotes come from few platforms.
  mutable Proofs platform_proofs_;
  mutable Proofs quote_proofs_;
  mutable Ring<std::shared_ptr<const KnownChain>, 64> chains_;
};

}  // namespace ratls::verifier
