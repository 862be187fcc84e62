// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "report/report.h"

namespace ratls::cli {

/// report_text is the report for people; report_json says the same to programs.
std::string report_text(const Outcome& outcome);

}  // namespace ratls::cli
