// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ratls/collateral.h"

namespace ratls::cli {

/// collateral_json says what prepared collateral holds, and until when: each part with its dates,
/// or with the error that makes it unusable. A part without an error is authentic.
nlohmann::ordered_json collateral_json(const PreparedCollateral& collateral, UnixTime now);

/// collateral_text is the same for people.
std::string collateral_text(const nlohmann::ordered_json& json);

}  // namespace ratls::cli
