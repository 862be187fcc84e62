// SPDX-License-Identifier: Apache-2.0
#include "server/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "ratls/bytes.h"

namespace ratls::server {
namespace {

constexpr std::size_t kMaxText = 8 * 1024;

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

/// append_cut appends a text, or its beginning and how much is missing.
template <class Append>
void append_cut(std::string& out, std::string_view text, Append append) {
  append(text.substr(0, kMaxText));
  if (text.size() > kMaxText) out += " [" + std::to_string(text.size() - kMaxText) + " more bytes]";
}

void append_text(std::string& out, std::string_view text) {
  append_cut(out, text, [&](std::string_view rest) {
    while (!rest.empty()) {
      const std::size_t size = rest.front() == '\\' ? 0 : printable_length(rest);
      if (size == 0) append_escaped(out, rest.front());
      out += rest.substr(0, size);
      rest.remove_prefix(std::max<std::size_t>(size, 1));
    }
  });
}

std::string as_text(const LogLine& line) {
  std::string out = format_time(line.time);
  out += ' ';
  out += name_of(line.level);
  out += ' ';
  append_text(out, line.message);
  for (const LogField& field : line.fields) {
    out += ' ';
    out += field.name;
    out += '=';
    if (const auto* text = std::get_if<std::string_view>(&field.value)) append_text(out, *text);
    if (const auto* number = std::get_if<std::int64_t>(&field.value))
      out += std::to_string(*number);
  }
  return out + '\n';
}

std::string as_json(const LogLine& line) {
  const auto cut = [](std::string_view text) {
    std::string out;
    append_cut(out, text, [&](std::string_view part) { out += part; });
    return out;
  };
  nlohmann::ordered_json object;
  object["time"] = format_time(line.time);
  object["level"] = name_of(line.level);
  object["message"] = cut(line.message);
  for (const LogField& field : line.fields) {
    nlohmann::ordered_json& value = object[std::string(field.name)];
    if (const auto* text = std::get_if<std::string_view>(&field.value)) value = cut(*text);
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) value = *number;
  }
  constexpr bool kAsciiOnly = true;  // also for what steers a terminal beyond ASCII
  return object.dump(-1, ' ', kAsciiOnly, nlohmann::json::error_handler_t::replace) + '\n';
}

// Apart: as one they are no atomic of every compiler's.
std::atomic<LogFormat> wanted_format = LogOptions().format;
std::atomic<LogLevel> lowest_level = LogOptions().level;

void write_line(LogLevel level, std::string_view message, const LogFields& fields) {
  const std::string line = format_log_line(wanted_format, {system_now(), level, message, fields});
  static std::mutex writing;  // a long line takes several writes when its reader is slow
  const std::lock_guard lock(writing);
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {  // an app may have changed the shared stderr
      pollfd ready{STDERR_FILENO, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (written == 0 || errno != EINTR) {
      return;
    }
  }
}

}  // namespace

void set_log_options(LogOptions options) {
  wanted_format = options.format;
  lowest_level = options.level;
}

std::string format_log_line(LogFormat format, const LogLine& line) {
  return format == LogFormat::json ? as_json(line) : as_text(line);
}

void log(LogLevel level, std::string_view message, const LogFields& fields) {
  if (level >= lowest_level) write_line(level, message, fields);
}

void log_access(const LogFields& fields) { write_line(LogLevel::info, "request", fields); }

}  // namespace ratls::server
