// SPDX-License-Identifier: Apache-2.0
#include <exception>

#include "cli/commands.h"
#include "cli/print.h"

namespace {

using namespace ratls::cli;

struct Dispatch {
  int operator()(const HelpArguments& help) const { return print(help.text) ? 0 : 8; }
  int operator()(const VerifyArguments& arguments) const { return verify(arguments); }
  int operator()(const InspectArguments& arguments) const { return inspect(arguments); }
  int operator()(const RequestArguments& arguments) const { return request(arguments); }
  int operator()(const ServeArguments& arguments) const { return serve(arguments); }
  int operator()(const RunArguments& arguments) const { return run(arguments); }
  int operator()(const SimInitArguments& arguments) const { return sim_init(arguments); }
  int operator()(const SimMountArguments& arguments) const { return sim_mount(arguments); }
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto arguments = parse_arguments(argc, argv);
    if (!arguments) return print_error(arguments.error());
    return std::visit(Dispatch{}, *arguments);
  } catch (const std::exception& exception) {
    return print_error(ratls::Error(ratls::Code::internal, "main", exception.what()));
  }
}
