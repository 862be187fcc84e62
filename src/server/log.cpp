// SPDX-License-Identifier: Apache-2.0
#include "server/log.h"

#include <unistd.h>

#include <cerrno>

#include "base/printable.h"
#include "ratls/bytes.h"

namespace ratls::server {
namespace {

constexpr std::size_t kMaxMessage = 8 * 1024;

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const std::uint8_t byte = static_cast<unsigned char>(c);
  out += "\\x" + to_hex(BytesView(&byte, 1));
}

}  // namespace

std::string format_log_line(UnixTime time, LogLevel level, std::string_view message) {
  std::string line = format_time(time);
  line += ' ';
  line += name_of(level);
  line += ' ';
  const std::size_t cut = message.size() > kMaxMessage ? message.size() - kMaxMessage : 0;
  message = message.substr(0, kMaxMessage);
  while (!message.empty()) {
    const std::size_t size = message.front() == '\\' ? 0 : printable_length(message);
    if (size == 0) {
      append_escaped(line, message.front());
      message.remove_prefix(1);
    } else {
      line += message.substr(0, size);
      message.remove_prefix(size);
    }
  }
  if (cut > 0) line += " [" + std::to_string(cut) + " more bytes]";
  line += '\n';
  return line;
}

void log(LogLevel level, std::string_view message) {
  const std::string line = format_log_line(system_now(), level, message);
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace ratls::server
