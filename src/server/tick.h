// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

namespace ratls::server {

/// Tick counts the seconds of a worker that has connections. Deadlines are ticks and not times,
/// because a host may make the clock jump: a jump then ends no connection.
using Tick = std::uint64_t;
inline constexpr Tick kNever = std::numeric_limits<Tick>::max();

}  // namespace ratls::server
