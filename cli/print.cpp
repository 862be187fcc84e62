// SPDX-License-Identifier: Apache-2.0
#include "cli/print.h"

#include <cstdio>

#include "ratls/bytes.h"

namespace ratls::cli {

bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

void print_ready(std::string_view where) { print("ready " + std::string(where) + "\n"); }

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out.push_back(c);
    } else {
      out += "\\x" + to_hex(BytesView(&byte, 1));
    }
  }
  return out;
}

int print_error(const Error& error) {
  std::string text = "error: " + printable(error.message()) + "\n";
  if (!error.where().empty()) text += "where: " + printable(error.where()) + "\n";
  text += "hint:  " + std::string(error.hint()) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
  return exit_code(error.code());
}

}  // namespace ratls::cli
