// SPDX-License-Identifier: Apache-2.0
// ratls-server: `serve` and `run` without a client, so without libcurl and what that links. All
// that an enclave loads is measured and trusted (docs/images.md).
#include "cli/commands.h"
#include "cli/program.h"

namespace {

using namespace ratls::cli;

// Where the source of collateral was said, for errors: by the flag, or in the file.
std::string staple_place = "--staple";

int perform(const Arguments& arguments) {
  if (const auto* serving = std::get_if<ServeArguments>(&arguments)) {
    if (serving->settings.staple.empty()) staple_place = serving->config_file + ": staple";
    return serve(*serving);
  }
  if (const auto* running = std::get_if<RunArguments>(&arguments)) return run(*running);
  return help(std::get<HelpArguments>(arguments));
}

}  // namespace

ratls::Result<std::shared_ptr<ratls::CollateralSource>> ratls::cli::open_staple_sources(
    const Verifier& verifier) {
  const Policy& policy = verifier.policy();
  for (const std::string& source : policy.collateral.sources) {
    if (source.starts_with("file:")) continue;
    return Error(
        Code::usage, staple_place,
        "ratls-server fetches nothing: name a file, which `ratls collateral fetch` writes");
  }
  return open_collateral_sources(policy.collateral.sources, policy.base_dir, verifier.root());
}

int main(int argc, char** argv) { return run_program(kServerProgram, argc, argv, perform); }
