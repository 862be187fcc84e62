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

Policy policy_for(const TdReport& td) {
  TdIdentity identity;
  identity.name = "measured";
  identity.mr_td = td.mr_td;
  for (std::size_t i = 0; i < td.rtmr.size(); ++i) identity.rtmr[i] = td.rtmr[i];
  Policy policy;
  policy.tds.push_back(std::move(identity));
  return policy;
}

constexpr std::size_t kMaxFile = 1024 * 1024;
constexpr int kMoreQuotes = 300;

}  // namespace

Material simulated_material(const std::string& name, const sim::World& world) {
  sim::QuoteSpec spec = world.quote_spec;
  must(sim::certify_attestation_key(spec).has_value(), "the attestation key is not certified");
  Material material{.name = name,
                    .quote = sim::make_quote(spec).value(),
                    .collateral = format_collateral(world.collateral),
                    .policy = spec.td ? policy_for(*spec.td) : policy_for(spec.report),
                    .now = sim::kWorldTime,
                    .more_quotes = {},
                    .quotes_by_keys = {}};
  material.policy.root_pem = world.root_pem;
  sim::QuoteSpec other_key = world.quote_spec;
  for (int i = 0; i < kMoreQuotes; ++i) {
    material.more_quotes.push_back(sim::make_quote(spec).value());
    other_key.attestation_key = sim::make_key().value();
    material.quotes_by_keys.push_back(sim::make_quote(other_key).value());
  }
  return material;
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
                  .now = UnixTime(std::chrono::seconds(1653761385)),
                  .more_quotes = {},
                  .quotes_by_keys = {}};
}

Attester attester_of(const sim::World& world, CertificateOptions options) {
  sim::QuoteSpec spec = world.quote_spec;
  must(sim::certify_attestation_key(spec).has_value(), "the attestation key is not certified");
  const auto source = [spec](const ReportData& report_data) {
    sim::QuoteSpec quote = spec;
    sim::put_report_data(quote, report_data);
    return sim::make_quote(quote);
  };
  return Attester::create(source, std::move(options)).value();
}

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench: %s\n", what);
  std::abort();
}

}  // namespace ratls::bench
