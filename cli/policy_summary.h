// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ratls/policy.h"

namespace ratls::cli {

/// Root is whose certificate all chains must end in.
enum class Root { intel, other };

/// policy_summary says in short lines what a checked policy accepts, and then one line "warning:"
/// for each choice that accepts more than a strict policy would. For people; the lines may change.
std::string policy_summary(const Policy& policy, Root root);

/// policy_warnings is the part of policy_summary that begins with "warning:", a line each.
std::string policy_warnings(const Policy& policy, Root root);

}  // namespace ratls::cli
