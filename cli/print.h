// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
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

/// print_note writes to stderr what is no error.
void print_note(std::string_view text);

/// stderr_is_terminal says whether stderr is a terminal that can do more than write lines.
bool stderr_is_terminal();

/// green makes a text for stderr green, and red red, where that is a terminal and NO_COLOR (see
/// no-color.org) does not forbid it.
std::string green(std::string_view text);
std::string red(std::string_view text);

/// printable escapes control characters and what is no UTF-8, so that a peer's words cannot steer a
/// terminal.
std::string printable(std::string_view text);

/// occupy_standard_streams puts something in the place of stdin, stdout and stderr when they are
/// closed. Otherwise a file or a connection that is opened later takes their number, and what is
/// printed goes there. Call it before anything is opened.
void occupy_standard_streams();

}  // namespace ratls::cli
