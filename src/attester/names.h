// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ratls/result.h"

namespace ratls {

/// certificate_names gives localhost, 127.0.0.1, ::1 and then the given names, each once: DNS names
/// in lower case (RFC 1123 2.1, no wildcards, no final dot) and IP addresses in their short form.
/// Errors: config_invalid for anything else, and for more than 64 names.
Result<std::vector<std::string>> certificate_names(const std::vector<std::string>& names);

}  // namespace ratls
