// SPDX-License-Identifier: Apache-2.0
#include "cli/print.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/printable.h"
#include "ratls/bytes.h"

namespace ratls::cli {
namespace {

std::string coloured(const char* colour, std::string_view text) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool forbidden = no_color != nullptr && *no_color != '\0';
  if (forbidden || !stderr_is_terminal()) return std::string(text);
  return colour + std::string(text) + "\x1b[0m";
}

}  // namespace

bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

void print_ready(std::string_view where) { print("ready " + std::string(where) + "\n"); }

void print_note(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb" &&
         ::isatty(STDERR_FILENO) == 1;
}

std::string green(std::string_view text) { return coloured("\x1b[32m", text); }
std::string red(std::string_view text) { return coloured("\x1b[31m", text); }

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
  std::string text = red("error:") + " " + printable(error.message()) + "\n";
  if (!error.where().empty()) text += "where: " + printable(error.where()) + "\n";
  text += "hint:  " + std::string(error.hint()) + "\n";
  print_note(text);
  return exit_code(error.code());
}

}  // namespace ratls::cli
