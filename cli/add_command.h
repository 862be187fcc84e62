// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/arguments.h"

namespace ratls::cli {

/// not_empty refuses an empty value, which is an unset variable of a script and not a wish to leave
/// the option out.
CLI::Validator not_empty();

/// add_command adds a command that, when it is named, is what the command line asks for.
template <class T>
CLI::App* add_command(CLI::App& app, Arguments& chosen, const std::string& name,
                      const std::string& text, const std::shared_ptr<T>& arguments) {
  CLI::App* command = app.add_subcommand(name, text);
  command->callback([&chosen, arguments] { chosen = *arguments; });
  return command;
}

}  // namespace ratls::cli
