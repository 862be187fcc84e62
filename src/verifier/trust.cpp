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

template <class Check>
bool Trust::once(const crypto::Sha256& proof, Check check) const {
  if (proofs_.find([&](const crypto::Sha256& known) { return known == proof; })) return true;
  if (!check()) return false;
  proofs_.add(proof);
  return true;
}

bool Trust::signed_by(const x509::Certificate& certificate, const x509::Certificate& issuer,
                      const crypto::P256PublicKey& issuer_key) const {
  return once(proof_of("certificate", {certificate.der, issuer.subject, issuer_key.point()}),
              [&] { return x509::signed_by(certificate, issuer, issuer_key); });
}

bool Trust::verify(const crypto::P256PublicKey& key, BytesView message, BytesView signature) const {
  return once(proof_of("message", {key.point(), message, signature}),
              [&] { return key.verify(message, signature); });
}

std::shared_ptr<const PckChain> Trust::known_chain(BytesView certification_data) const {
  const auto found = chains_.find([&](const std::shared_ptr<const KnownChain>& known) {
    return std::ranges::equal(known->certification_data, certification_data);
  });
  return found ? (*found)->chain : nullptr;
}

void Trust::remember_chain(BytesView certification_data,
                           std::shared_ptr<const PckChain> chain) const {
  chains_.add(std::make_shared<const KnownChain>(
      KnownChain{Bytes(certification_data.begin(), certification_data.end()), std::move(chain)}));
}

}  // namespace ratls::verifier
