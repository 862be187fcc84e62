// SPDX-License-Identifier: Apache-2.0
#include <exception>

#include "cli/commands.h"
#include "cli/print.h"
#include "tls/openssl_setup.h"

namespace {

using namespace ratls::cli;

struct Dispatch {
  int operator()(const HelpArguments& help) const {
    if (print(help.text)) return 0;
    return print_error(ratls::Error(ratls::Code::file_unwritable, "stdout", ""));
  }
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

int main(int argc, char** argv) {
  occupy_standard_streams();
  try {
    // First of all: OPENSSL_CONF is the host's word and must not reach any use of OpenSSL.
    ratls::tls::set_up_openssl();
    const auto arguments = parse_arguments({argv + 1, argv + argc});
    if (!arguments) return print_error(arguments.error());
    return std::visit(Dispatch{}, *arguments);
  } catch (const std::exception& exception) {
    return print_error(ratls::Error(ratls::Code::internal, "main", exception.what()));
  }
}
