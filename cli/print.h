// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "ratls/error.h"

// The only place that writes to the terminal: results to stdout, errors to stderr.
namespace ratls::cli {

/// print writes a result to stdout as it is. False when stdout cannot take it.
bool print(std::string_view text);

/// print_ready writes the line that tells a script where the server can be reached.
void print_ready(std::string_view where);

/// print_error writes the lines error:, where: and hint: to stderr and gives the exit code.
int print_error(const Error& error);

/// printable escapes control characters, so that a peer's words cannot steer a terminal.
std::string printable(std::string_view text);

}  // namespace ratls::cli
