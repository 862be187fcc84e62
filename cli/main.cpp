// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/program.h"

namespace {

using namespace ratls::cli;

constexpr const char* kOverview =
    "Sessions with servers whose code is proven.\n"
    "\n"
    "Try it on the simulated platform:\n"
    "  ratls sim init\n"
    "  ratls serve --tee sim --listen 127.0.0.1:8000 &\n"
    "  ratls get --retry 5 --policy ~/.local/share/ratls/sim/policy.toml https://127.0.0.1:8000/\n"
    "\n"
    "Exit codes: 0 accepted, 1 HTTP error with --fail, 2 usage or policy file, 3 malformed or\n"
    "missing evidence, 4 untrusted, 5 stale, 6 TCB not accepted, 7 policy, 8 unavailable, 9 bug.";

struct Dispatch {
  int operator()(const HelpArguments& arguments) const { return help(arguments); }
  int operator()(const VerifyArguments& arguments) const { return verify(arguments); }
  int operator()(const InspectArguments& arguments) const { return inspect(arguments); }
  int operator()(const RequestArguments& arguments) const { return request(arguments); }
  int operator()(const ProxyArguments& arguments) const { return proxy(arguments); }
  int operator()(const DoctorArguments& arguments) const { return doctor(arguments); }
  int operator()(const ServeArguments& arguments) const { return serve(arguments); }
  int operator()(const RunArguments& arguments) const { return run(arguments); }
  int operator()(const SimInitArguments& arguments) const { return sim_init(arguments); }
  int operator()(const SimMountArguments& arguments) const { return sim_mount(arguments); }
  int operator()(const SimPcsArguments& arguments) const { return sim_pcs(arguments); }
  int operator()(const CollateralFetchArguments& arguments) const {
    return collateral_fetch(arguments);
  }
  int operator()(const CollateralShowArguments& arguments) const {
    return collateral_show(arguments);
  }
  int operator()(const CollateralServeArguments& arguments) const {
    return collateral_serve(arguments);
  }
  int operator()(const PolicyFromUrlArguments& arguments) const {
    return policy_from_url(arguments);
  }
  int operator()(const PolicyCheckArguments& arguments) const { return policy_check(arguments); }
  int operator()(const PolicyDiffArguments& arguments) const { return policy_diff(arguments); }
  int operator()(const PolicyFromSigstructArguments& arguments) const {
    return policy_from_sigstruct(arguments);
  }
};

}  // namespace

ratls::Result<std::shared_ptr<ratls::CollateralSource>> ratls::cli::open_staple_sources(
    const Verifier& verifier) {
  return open_policy_sources(verifier, std::nullopt);
}

int main(int argc, char** argv) {
  const Program program{"ratls", kOverview, add_client_commands};
  return run_program(program, argc, argv,
                     [](const Arguments& arguments) { return std::visit(Dispatch{}, arguments); });
}
