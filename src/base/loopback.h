// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace ratls {

/// host_of is the host of a URL's authority without user name: what stands before the port, an
/// IPv6 address with its brackets. Brackets with more behind them than a port are no host: then
/// it is empty. Thread-safety: any thread.
std::string_view host_of(std::string_view authority) noexcept;

/// is_loopback says whether a host can only be this machine: an address of 127.0.0.0/8 in its four
/// decimal numbers, ::1 with or without brackets, or localhost in any case. A name that merely
/// begins like one may belong to anybody. Thread-safety: any thread.
bool is_loopback(std::string_view host) noexcept;

}  // namespace ratls
