// SPDX-License-Identifier: Apache-2.0
#include "verifier/trust.h"

#include <algorithm>
#include <string_view>

#include "base/reader.h"

namespace ratls::verifier {
namespace {

// What was proven, as one hash. Each part is hashed first, so that two different lists of parts
// cannot be the same bytes.
crypto::Sha256 proof_of(std::string_view kind, std::initializer_list<BytesView> parts) {
  Bytes all(kind.begin(), kind.end());
  for (const BytesView part : parts) {
    const crypto::Sha256 hash = crypto::sha256(part);
    all.insert(all.end(), hash.bytes.begin(), hash.bytes.end());
  }
  return crypto::sha256(all);
}

}  // namespace

bool Trust::known(const crypto::Sha256& proof) const {
  const std::lock_guard lock(mutex_);
  const auto end = known_.begin() + static_cast<std::ptrdiff_t>(std::min(remembered_, kMaxKnown));
  return std::find(known_.begin(), end, proof) != end;
}

void Trust::remember(const crypto::Sha256& proof) const {
  const std::lock_guard lock(mutex_);
  known_[remembered_ % kMaxKnown] = proof;
  ++remembered_;
}

bool Trust::signed_by(const x509::Certificate& certificate, const x509::Certificate& issuer,
                      const crypto::P256PublicKey& issuer_key) const {
  const crypto::Sha256 proof =
      proof_of("certificate", {certificate.der, issuer.subject, issuer_key.point()});
  if (known(proof)) return true;
  if (!x509::signed_by(certificate, issuer, issuer_key)) return false;
  remember(proof);
  return true;
}

bool Trust::verify(const crypto::P256PublicKey& key, BytesView message, BytesView signature) const {
  const crypto::Sha256 proof = proof_of("message", {key.point(), message, signature});
  if (known(proof)) return true;
  if (!key.verify(message, signature)) return false;
  remember(proof);
  return true;
}

}  // namespace ratls::verifier
