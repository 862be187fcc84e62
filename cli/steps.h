// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ratls/step.h"

namespace ratls::cli {

/// step_printer gives a listener for --verbose: it writes a line to stderr for each step that has
/// ended, and one where a step begins that may wait for others. Times are since this call.
StepListener step_printer();

}  // namespace ratls::cli
