// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

// What is written from the tree of commands and options, so that it cannot say anything else.
namespace ratls::cli {

/// completion_script is for "bash", "zsh" or "fish"; "man" gives the manual page instead.
std::string completion_script(const CLI::App& app, const std::string& kind);

}  // namespace ratls::cli
