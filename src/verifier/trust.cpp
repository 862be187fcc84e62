// SPDX-License-Identifier: Apache-2.0
#include "verifier/trust.h"

namespace ratls::verifier {
namespace {

// More than Intel has ever issued at a time. What comes later is checked each time.
constexpr std::size_t kMaxKnown = 8;

}  // namespace

Result<crypto::P256PublicKey> Trust::key_of_ca(const x509::Certificate& ca) const {
  {
    const std::lock_guard lock(mutex_);
    const auto known = std::ranges::find(known_, ca.der, &KnownCa::der);
    if (known != known_.end()) return known->key;
  }
  RATLS_TRY(auto key, x509::p256_key(ca, Code::pck_chain_untrusted));
  if (!x509::signed_by(ca, root_.impl().certificate, root_.impl().key)) {
    return Error(Code::pck_chain_untrusted, "pck_chain[1]", "not signed by the root");
  }
  const std::lock_guard lock(mutex_);
  if (known_.size() < kMaxKnown) known_.push_back({ca.der, key});
  return key;
}

}  // namespace ratls::verifier
