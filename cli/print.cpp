// SPDX-License-Identifier: Apache-2.0
#include "cli/print.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "base/printable.h"
#include "ratls/bytes.h"

namespace ratls::cli {

bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

void print_ready(std::string_view where) { print("ready " + std::string(where) + "\n"); }

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = printable_length(text);
    if (length > 0) {
      out += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(text.front());
    out += "\\x" + to_hex(BytesView(&byte, 1));
    text.remove_prefix(1);
  }
  return out;
}

void occupy_standard_streams() {
  // Read-only, so that writing still fails as it does to a closed stream.
  int fd = ::open("/dev/null", O_RDONLY);
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::dup(fd);
  if (fd >= 0) ::close(fd);
}

int print_error(const Error& error) {
  std::string text = "error: " + printable(error.message()) + "\n";
  if (!error.where().empty()) text += "where: " + printable(error.where()) + "\n";
  text += "hint:  " + std::string(error.hint()) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
  return exit_code(error.code());
}

}  // namespace ratls::cli
