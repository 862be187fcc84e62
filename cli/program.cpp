// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <exception>

#include "cli/commands.h"
#include "cli/print.h"
#include "tls/openssl_setup.h"

namespace ratls::cli {

const Program kServerProgram{
    "ratls-server",
    "The part of ratls that runs in an enclave. It serves, and connects to nothing but the app "
    "behind\n"
    "it. The program ratls has the same two commands, and those of clients.",
    nullptr};

int help(const HelpArguments& arguments) {
  if (print(arguments.text)) return 0;
  return print_error(Error(Code::file_unwritable, "stdout", ""));
}

int run_program(const Program& program, int argc, char** argv, int (*perform)(const Arguments&)) {
  occupy_standard_streams();
  try {
    // First of all: OPENSSL_CONF is the host's word and must not reach any use of OpenSSL.
    tls::set_up_openssl();
    const auto arguments = parse_arguments(program, {argv + 1, argv + argc});
    if (!arguments) return print_error(arguments.error());
    return perform(*arguments);
  } catch (const std::exception& exception) {
    return print_error(Error(Code::internal, "main", exception.what()));
  }
}

}  // namespace ratls::cli
