// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "ratls/verifier.h"

namespace ratls {

/// Outcome is a verification as it is told to others: the report, and the refusal if there is one.
/// Thread-safety: a value.
struct Outcome {
  Report report;
  std::optional<Error> error;
  bool time_given = false;  ///< the time was the caller's and not the clock's

  bool accepted() const { return !error.has_value(); }
};

Outcome outcome_of(const Verdict& verdict);

/// outcome_of an error tells of a verification that came to no verdict.
Outcome outcome_of(const Error& error, Proves proves, UnixTime now);

/// verdict_message is one line for people.
std::string verdict_message(const Outcome& outcome);

/// report_json is the object of `ratls verify --json` (docs/report.md).
nlohmann::ordered_json report_json(const Outcome& outcome);

/// report_json_text is that object as it is printed.
std::string report_json_text(const Outcome& outcome);

/// json_text is a JSON value as it is printed: in ASCII, so that a peer's words cannot steer a
/// terminal, with a line end.
std::string json_text(const nlohmann::ordered_json& json);

}  // namespace ratls
