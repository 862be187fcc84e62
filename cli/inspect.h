// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/commands.h"

namespace ratls::cli {

/// inspect_subject reads what it can of a certificate or a quote. Whatever cannot be read stands
/// there with its error; nothing is verified. All of it is under "unverified".
nlohmann::ordered_json inspect_subject(const SubjectBytes& subject);

/// inspection_text is the same object as indented lines for people.
std::string inspection_text(const nlohmann::ordered_json& inspection);

}  // namespace ratls::cli
