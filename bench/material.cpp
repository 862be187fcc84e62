// SPDX-License-Identifier: Apache-2.0
#include "material.h"

#include <cstdio>
#include <cstdlib>

#include "base/file.h"
#include "base/reader.h"

namespace ratls::bench {
namespace {

Policy policy_for(const EnclaveReport& enclave) {
  EnclaveIdentity identity;
  identity.name = "measured";
  identity.mr_enclave = enclave.mr_enclave;
  Policy policy;
  policy.enclaves.push_back(std::move(identity));
  return policy;
}

constexpr std::size_t kMaxFile = 1024 * 1024;

}  // namespace

Material simulated_material(const sim::World& world) {
  Policy policy = policy_for(world.quote_spec.report);
  policy.root_pem = world.root_pem;
  return {.name = "simulated",
          .quote = world.quote(ReportData{}).value(),
          .collateral = format_collateral(world.collateral),
          .policy = std::move(policy),
          .now = sim::kWorldTime};
}

// Ice Lake server, 17 TCB levels, UpToDate; a debug enclave, of which the policy has to approve.
std::optional<Material> recorded_material() {
  const char* given = std::getenv("RATLS_SHARED_DIR");
  const std::filesystem::path shared = given != nullptr ? given : RATLS_SOURCE_DIR "/../shared";
  const auto dir = shared / "vectors/real/sgx-ravl-icelake-uptodate";
  auto quote = read_file(dir / "quote.bin", kMaxFile);
  const auto collateral = read_file(dir / "collateral.json", kMaxFile);
  if (!quote || !collateral) return std::nullopt;
  Policy policy = policy_for(*parse_quote(*quote).value().enclave());
  policy.dangerous_allow_debug = true;
  return Material{.name = "intel",
                  .quote = std::move(quote).value(),
                  .collateral = std::string(as_text(*collateral)),
                  .policy = std::move(policy),
                  .now = UnixTime(std::chrono::seconds(1653761385))};
}

Attester attester_of(const sim::World& world, CertificateOptions options) {
  const auto source = [&world](const ReportData& report_data) { return world.quote(report_data); };
  return Attester::create(source, std::move(options)).value();
}

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench: %s\n", what);
  std::abort();
}

}  // namespace ratls::bench
