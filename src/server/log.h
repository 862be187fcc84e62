// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ratls/time.h"

namespace ratls::server {

enum class LogLevel { info, warning, error };
enum class LogFormat { text, json };

/// LogOptions says how lines look, and from which level on they are written.
struct LogOptions {
  LogFormat format = LogFormat::text;
  LogLevel level = LogLevel::info;
};

/// LogField is a fact beside a message. The name is one of ours; the text may be a stranger's.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;
};
using LogFields = std::vector<LogField>;

/// set_log_options is for the whole process, from now on. Thread-safety: any thread.
void set_log_options(LogOptions options);

/// log writes one line to stderr. Inside an enclave the host reads it: no query strings, header
/// values, bodies or keys. Thread-safety: any thread; lines do not mix. Blocks: on stderr.
void log(LogLevel level, std::string_view message, const LogFields& fields = {});

/// AccessLog collects lines of requests, which whoever asked for them gets at every level, so that
/// many take one write. Thread-safety: none.
class AccessLog {
 public:
  void add(const LogFields& fields);
  /// write writes all that was added. Blocks: on stderr.
  void write();
  std::size_t size() const noexcept { return lines_.size(); }

 private:
  std::string lines_;
};

/// LogLine is what one line says.
struct LogLine {
  UnixTime time;
  LogLevel level;
  std::string_view message;
  LogFields fields = {};
};

/// format_log_line is "TIME LEVEL MESSAGE NAME=VALUE..." and a line end, or an object of JSON in
/// ASCII with time, level, message and the fields. As text, control characters, backslashes and
/// what is no UTF-8 are escaped, so that a message is one line and moves no cursor; in JSON, what
/// is no UTF-8 becomes U+FFFD. A long text is cut.
std::string format_log_line(LogFormat format, const LogLine& line);

}  // namespace ratls::server
