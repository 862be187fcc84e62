// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "ratls/verifier.h"

namespace ratls::cli {

/// Outcome is a verification as the tool tells it: the report, and the refusal if there is one.
struct Outcome {
  Report report;
  std::optional<Error> error;
  bool time_given = false;  ///< --at

  bool accepted() const { return !error.has_value(); }
};

Outcome outcome_of(const Verdict& verdict);

/// report_json is the object of `verify --json` (docs/report.md).
nlohmann::ordered_json report_json(const Outcome& outcome);

/// report_text is the same for people.
std::string report_text(const Outcome& outcome);

}  // namespace ratls::cli
