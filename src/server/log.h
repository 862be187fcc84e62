// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "ratls/time.h"

namespace ratls::server {

enum class LogLevel { info, warning, error };

/// log writes one line to stderr. Inside an enclave the host reads it: no query strings, header
/// values, bodies or keys. Thread-safety: any thread; lines do not mix. Blocks: on stderr.
void log(LogLevel level, std::string_view message);

/// format_log_line is "TIME LEVEL MESSAGE" and a line end. Control characters, backslashes and what
/// is no UTF-8 are escaped, so that a message is one line and moves no cursor; a long message is
/// cut.
std::string format_log_line(UnixTime time, LogLevel level, std::string_view message);

}  // namespace ratls::server
