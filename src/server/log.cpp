// SPDX-License-Identifier: Apache-2.0
#include "server/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
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

/// time_of is the line's time as text, made once a second by each thread.
std::string_view time_of(const LogLine& line) {
  thread_local UnixTime last{};
  thread_local std::string text = format_time(last);
  if (line.time != last) {
    last = line.time;
    text = format_time(last);
  }
  return text;
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

/// plain_length is how much of a text's beginning looks the same in every format: most texts,
/// whole.
std::size_t plain_length(std::string_view text) {
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~' && c != '\\' && c != '"'; };
  const auto end = std::find_if_not(text.begin(), text.end(), is_plain);
  return static_cast<std::size_t>(end - text.begin());
}

void append_text(std::string& out, std::string_view text) {
  append_cut(out, text, [&](std::string_view rest) {
    while (!rest.empty()) {
      const std::size_t plain = plain_length(rest);
      const bool is_escaped = plain == 0 && rest.front() == '\\';
      const std::size_t size = plain > 0 || is_escaped ? plain : printable_length(rest);
      if (size == 0) append_escaped(out, rest.front());
      out += rest.substr(0, size);
      rest.remove_prefix(std::max<std::size_t>(size, 1));
    }
  });
}

void append_line_as_text(std::string& out, const LogLine& line) {
  out += time_of(line);
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
  out += '\n';
}

void append_json_text(std::string& out, std::string_view text) {
  if (text.size() <= kMaxText && plain_length(text) == text.size()) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  std::string cut;
  append_cut(cut, text, [&](std::string_view part) { cut += part; });
  constexpr bool kAsciiOnly = true;  // also for what steers a terminal beyond ASCII
  out += nlohmann::json(cut).dump(-1, ' ', kAsciiOnly, nlohmann::json::error_handler_t::replace);
}

void append_line_as_json(std::string& out, const LogLine& line) {
  out += R"({"time":")";
  out += time_of(line);
  out += R"(","level":")";
  out += name_of(line.level);
  out += R"(","message":)";
  append_json_text(out, line.message);
  for (const LogField& field : line.fields) {
    out += ",\"";
    out += field.name;
    out += "\":";
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      append_json_text(out, *text);
    }
    if (const auto* number = std::get_if<std::int64_t>(&field.value))
      out += std::to_string(*number);
  }
  out += "}\n";
}

void append_line(std::string& out, LogFormat format, const LogLine& line) {
  format == LogFormat::json ? append_line_as_json(out, line) : append_line_as_text(out, line);
}

// Apart: as one they are no atomic of every compiler's.
std::atomic<LogFormat> wanted_format = LogOptions().format;
std::atomic<LogLevel> lowest_level = LogOptions().level;

// Whole lines of as much as a pipe takes in one piece (pipe(7)), because an app writes to the same
// one. A single line may be longer.
std::string_view next_piece(std::string_view lines) {
  std::size_t end = lines.substr(0, PIPE_BUF).rfind('\n');
  if (end == lines.npos) end = std::min(lines.find('\n'), lines.size() - 1);
  return lines.substr(0, end + 1);
}

void write_lines(std::string_view rest) {
  static std::mutex writing;  // a long line takes several writes when its reader is slow
  const std::lock_guard lock(writing);
  std::string_view piece;
  while (!rest.empty()) {
    if (piece.empty()) piece = next_piece(rest);
    const ssize_t written = ::write(STDERR_FILENO, piece.data(), piece.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
      piece.remove_prefix(static_cast<std::size_t>(written));
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
  std::string out;
  append_line(out, format, line);
  return out;
}

void log(LogLevel level, std::string_view message, const LogFields& fields) {
  if (level < lowest_level) return;
  write_lines(format_log_line(wanted_format, {system_now(), level, message, fields}));
}

void AccessLog::add(const LogFields& fields) {
  append_line(lines_, wanted_format, {system_now(), LogLevel::info, "request", fields});
}

void AccessLog::write() {
  write_lines(lines_);
  lines_.clear();
}

}  // namespace ratls::server
