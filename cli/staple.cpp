// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "sim/platform.h"

namespace ratls::cli {
namespace {

Result<StapledCollateral> stapled(const PreparedCollateral& collateral,
                                  const CollateralRequest& request, bool endorse) {
  // What no client could use is not handed out, nor brought: endorsements have no PCK certificates.
  RATLS_CHECK(collateral.check_for(request));
  endorse = endorse && !collateral.collateral().pck_certificate_chain;
  return StapledCollateral{format_collateral(collateral.collateral()), collateral.expires(),
                           endorse ? format_endorsements(collateral.collateral()) : Bytes()};
}

Result<StapleProvider> of_simulated(const config::Settings& settings) {
  RATLS_TRY(auto platform, sim::Platform::load(sim_dir(settings.tee.sim_dir)));
  RATLS_TRY(const TrustRoot root, platform.root());
  return StapleProvider([platform = std::move(platform), root, endorse = settings.endorse](
                            BytesView, UnixTime now) -> Result<StapledCollateral> {
    RATLS_TRY(Collateral collateral, platform.collateral(now));
    CollateralRequest request;
    request.at = now;
    return stapled(*PreparedCollateral::prepare(std::move(collateral), root, "sim"), request,
                   endorse);
  });
}

Result<StapleProvider> of_source(const config::Settings& settings) {
  const std::string& text = settings.staple;
  RATLS_TRY(Policy policy, policy_or_anybody(""));
  const bool is_remote = text == "pcs" || text.find("://") != std::string::npos;
  policy.collateral.sources = {is_remote ? text
                                         : "file:" + std::filesystem::absolute(text).string()};
  RATLS_TRY(const Verifier verifier, Verifier::create(std::move(policy)));
  RATLS_CHECK(open_staple_sources(verifier));
  return StapleProvider([verifier, endorse = settings.endorse](
                            BytesView certificate, UnixTime now) -> Result<StapledCollateral> {
    const Examination examination = verifier.examine_certificate(certificate, {}, now);
    if (examination.error()) return *examination.error();
    // Opened anew, because a file is not read again before it has ended.
    RATLS_TRY(const auto source, open_staple_sources(verifier));
    RATLS_TRY(const auto collateral, source->find(examination.request()));
    return stapled(*collateral, examination.request(), endorse);
  });
}

}  // namespace

Result<StapleProvider> make_staple(const config::Settings& settings) {
  if (!settings.staple.empty()) return of_source(settings);
  if (settings.tee.tee == "sim") return of_simulated(settings);
  if (!settings.endorse) return StapleProvider();
  return Error(Code::usage, "--endorse", "it puts what --staple finds into the certificate");
}

}  // namespace ratls::cli
