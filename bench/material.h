// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ratls/attester.h"
#include "ratls/verifier.h"
#include "sim/world.h"

namespace ratls::bench {

/// Material is a quote with all that an accepting verdict over it needs.
struct Material {
  std::string name;
  Bytes quote;
  std::string collateral;  ///< the JSON text, as a file or a server has it
  Policy policy;
  UnixTime now{};
  // Of the same platform, for a forged one only; more than a verifier remembers.
  std::vector<Bytes> more_quotes;     ///< with the same attestation key
  std::vector<Bytes> quotes_by_keys;  ///< each with another attestation key
};

/// simulated_material is a forged platform's, with its PCK chain in each quote.
Material simulated_material(const std::string& name, const sim::World& world);

/// recorded_material is a quote of Intel's hardware with the collateral of its day, from
/// $RATLS_SHARED_DIR/vectors or ../shared/vectors beside the source tree; none where it is not
/// there.
std::optional<Material> recorded_material();

/// attester_of makes certificates in a simulated world.
Attester attester_of(const sim::World& world, CertificateOptions options = {});

/// GivenCollateral is a source that has just this. Thread-safety: any thread.
class GivenCollateral final : public CollateralSource {
 public:
  explicit GivenCollateral(std::shared_ptr<const PreparedCollateral> collateral)
      : collateral_(std::move(collateral)) {}
  Result<std::shared_ptr<const PreparedCollateral>> find(const CollateralRequest&) override {
    return collateral_;
  }

 private:
  const std::shared_ptr<const PreparedCollateral> collateral_;
};

/// must ends the program when what is measured does not do what it should: a refusal is quick, and
/// would look like a good figure.
void must(bool holds, const char* what);

}  // namespace ratls::bench
