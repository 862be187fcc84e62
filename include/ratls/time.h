// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "ratls/result.h"

namespace ratls {

/// UnixTime is a point in time in whole seconds, UTC. The verifier never asks a clock for it.
using UnixTime = std::chrono::sys_seconds;

/// format_time writes RFC 3339 in UTC: "2024-03-13T00:00:00Z".
std::string format_time(UnixTime time);

/// parse_time reads RFC 3339 (an offset is allowed, a fraction of a second is dropped) or a number
/// of Unix seconds. Years 1970 to 9999. Errors: usage, with what as the place.
Result<UnixTime> parse_time(std::string_view text, std::string_view what);

/// parse_duration reads a whole number and a unit: s, m, h or d ("30d"). Not negative, at most
/// 100 years. Errors: usage, with what as the place.
Result<std::chrono::seconds> parse_duration(std::string_view text, std::string_view what);

/// format_duration writes the largest unit that divides the duration: "30d", "90s".
std::string format_duration(std::chrono::seconds duration);

/// system_now reads the machine's clock. Inside an enclave that clock is the host's.
UnixTime system_now();

}  // namespace ratls
