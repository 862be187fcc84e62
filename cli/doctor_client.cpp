// SPDX-License-Identifier: Apache-2.0
#include <openssl/crypto.h>
#include <unistd.h>

#include <chrono>

#include "base/proxy.h"
#include "cli/commands.h"
#include "cli/doctor.h"

namespace ratls::cli {
namespace {

namespace fs = std::filesystem;

Finding look_at_clock(UnixTime now) {
  // When this was written, and a time that nobody's certificates reach.
  constexpr UnixTime kEarliest = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  constexpr UnixTime kLatest = std::chrono::sys_days(std::chrono::year(2070) / 1 / 1);
  if (now >= kEarliest && now < kLatest) return {"clock", FindingState::ok, format_time(now)};
  return {"clock", FindingState::failed, format_time(now) + " is not now",
          "set the clock: dates of certificates and collateral are judged by it",
          Code::config_invalid};
}

Finding look_at_cache() {
  const fs::path dir = default_cache_dir();
  const std::string hint = "set XDG_CACHE_HOME to a folder of this user's";
  if (dir.empty()) {
    return {"cache", FindingState::warning,
            "there is no folder for it: collateral is fetched each time", hint};
  }
  // What is not there yet will be made in the nearest folder that is.
  fs::path nearest = dir;
  std::error_code ec;
  while (!fs::exists(nearest, ec) && nearest.has_relative_path()) nearest = nearest.parent_path();
  if (::access(nearest.c_str(), W_OK | X_OK) == 0) return {"cache", FindingState::ok, dir.string()};
  return {"cache", FindingState::warning, nearest.string() + " cannot be written to", hint};
}

Finding look_at_proxy() {
  const auto proxy = environment_proxy("api.trustedservices.intel.com");
  if (!proxy) return failure("proxy", proxy.error());
  return {"proxy", FindingState::ok,
          proxy->empty() ? "none in the environment" : shown_proxy(*proxy)};
}

bool asks_anything(const PolicyOptions& options) {
  return !options.policy_file.empty() || !options.mr_enclave.empty() ||
         !options.mr_signer.empty() || !options.collateral_file.empty() || !options.pccs.empty();
}

/// look_at_sources asks for the collateral of a platform that every source for Intel's platforms
/// knows; that it is unknown is an answer too.
Finding look_at_sources(Policy policy) {
  if (policy.collateral.sources == std::vector<std::string>{"stapled"}) {
    return {"collateral", FindingState::undecided, "comes from the server alone", "give its URL"};
  }
  const auto verifier = Verifier::create(std::move(policy));
  if (!verifier) return failure("collateral", verifier.error());
  const auto source = open_policy_sources(*verifier, std::nullopt);
  if (!source) return failure("collateral", source.error());
  CollateralRequest request;
  request.tee = "sgx";
  request.fmspc = "00606a000000";  // Ice Lake
  request.pck_ca = "platform";
  request.at = system_now();
  const auto begun = std::chrono::steady_clock::now();
  const auto found = (*source)->find(request);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begun);
  const bool answered = found || found.error().code() == Code::collateral_platform_unknown ||
                        found.error().code() == Code::tcb_info_mismatch;
  if (!answered) return failure("collateral", found.error());
  return {"collateral", FindingState::ok,
          "the source answers after " + std::to_string(took.count()) + " ms"};
}

}  // namespace

Finding failure(std::string name, const Error& error) {
  return {std::move(name), FindingState::failed, error.where() + ": " + error.message(),
          std::string(error.hint()), error.code()};
}

Findings look_at_client(const PolicyOptions& options) {
  Findings findings = {{"openssl", FindingState::ok, OpenSSL_version(OPENSSL_VERSION)},
                       look_at_clock(system_now()),
                       look_at_cache(),
                       look_at_proxy()};
  if (!asks_anything(options)) {
    findings.push_back(
        {"collateral", FindingState::undecided, "no source was asked", "give a policy, or --pccs"});
    return findings;
  }
  auto policy = judged_policy(options);
  findings.push_back(policy ? look_at_sources(std::move(*policy))
                            : failure("policy", policy.error()));
  return findings;
}

}  // namespace ratls::cli
