// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/arguments.h"

namespace ratls::cli {

/// run_program is main: it reads the command line, lets perform do what it says, and gives the exit
/// code.
int run_program(const Program& program, int argc, char** argv, int (*perform)(const Arguments&));

}  // namespace ratls::cli
