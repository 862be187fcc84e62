// SPDX-License-Identifier: Apache-2.0
#include "collateral/endorsed_source.h"

#include <algorithm>

namespace ratls::collateral {
namespace {

constexpr const char* kWhere = "certificate.endorsements";

}  // namespace

EndorsedSource::EndorsedSource(const TrustRoot& root, const std::filesystem::path& dir)
    : root_(root), numbers_(dir, root, Baseline::stapled) {}

Result<EndorsedSource::Prepared> EndorsedSource::find(const CollateralRequest& request) {
  if (request.endorsements == nullptr || request.fmspc.empty()) {
    return Error(Code::collateral_unavailable, kWhere, "the certificate brings no collateral");
  }
  auto prepared = prepare(*request.endorsements);
  if (!prepared) return prepared.error().in(kWhere);
  const auto accepted = numbers_.accept(**prepared);
  if (!accepted) return accepted.error().in(kWhere);
  return prepared;
}

Result<EndorsedSource::Prepared> EndorsedSource::prepare(const Bytes& endorsements) {
  const crypto::Sha256 hash = crypto::sha256(endorsements);
  {
    const std::lock_guard lock(mutex_);
    // Nothing has the hash of an empty place, which is all zeros.
    const auto known = std::ranges::find(kept_, hash, &Kept::hash);
    if (known != kept_.end()) return known->prepared;
  }
  RATLS_TRY(Collateral collateral, parse_endorsements(endorsements));
  Prepared prepared = PreparedCollateral::prepare(std::move(collateral), root_, kStapled);
  const std::lock_guard lock(mutex_);
  kept_[next_++ % kept_.size()] = {hash, prepared};
  return prepared;
}

}  // namespace ratls::collateral
