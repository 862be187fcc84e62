// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "ratls/client.h"
#include "sim/platform.h"

namespace ratls::cli {
namespace {

Result<StapledCollateral> stapled(const PreparedCollateral& collateral,
                                  const CollateralRequest& request) {
  // What no client could use is not handed out.
  RATLS_CHECK(collateral.check_for(request));
  return StapledCollateral{format_collateral(collateral.collateral()), collateral.expires()};
}

Result<StapleProvider> of_simulated(const std::string& dir) {
  RATLS_TRY(auto platform, sim::Platform::load(sim_dir(dir)));
  RATLS_TRY(const TrustRoot root, platform.root());
  return StapleProvider(
      [platform = std::move(platform), root](BytesView, UnixTime now) -> Result<StapledCollateral> {
        RATLS_TRY(Collateral collateral, platform.collateral(now));
        CollateralRequest request;
        request.at = now;
        return stapled(*PreparedCollateral::prepare(std::move(collateral), root, "sim"), request);
      });
}

Result<StapleProvider> of_source(const std::string& text) {
  RATLS_TRY(Policy policy, policy_or_anybody(""));
  const bool is_remote = text == "pcs" || text.find("://") != std::string::npos;
  policy.collateral.sources = {is_remote ? text
                                         : "file:" + std::filesystem::absolute(text).string()};
  RATLS_TRY(const Verifier verifier, Verifier::create(std::move(policy)));
  RATLS_CHECK(open_policy_sources(verifier, std::nullopt));
  return StapleProvider(
      [verifier](BytesView certificate, UnixTime now) -> Result<StapledCollateral> {
        const Examination examination = verifier.examine_certificate(certificate, {}, now);
        if (examination.error()) return *examination.error();
        // Opened anew, because a file is not read again before it has ended.
        RATLS_TRY(const auto source, open_policy_sources(verifier, std::nullopt));
        RATLS_TRY(const auto collateral, source->find(examination.request()));
        return stapled(*collateral, examination.request());
      });
}

}  // namespace

Result<StapleProvider> make_staple(const config::Settings& settings) {
  if (!settings.staple.empty()) return of_source(settings.staple);
  if (settings.tee.tee == "sim") return of_simulated(settings.tee.sim_dir);
  return StapleProvider();
}

}  // namespace ratls::cli
