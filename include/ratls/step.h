// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include "ratls/result.h"

namespace ratls {

/// Step is one of the things that are done for a verdict or a request. The texts last as long as
/// the call that tells of them.
struct Step {
  std::string_view letters;  ///< of docs/verification.md, "D" or "R, S"; empty: none of its steps
  std::string_view what;     ///< for people
  std::string_view detail;   ///< for people: where to, or what came; may be a peer's words
  bool ended = false;
  const Error* failure = nullptr;  ///< of a step that has ended; null when it succeeded
};

/// StepListener is told when a step begins and when it has ended, on the thread that takes it.
/// Steps may lie within others. It decides nothing and has its own clock. It may not throw.
using StepListener = std::function<void(const Step&)>;

/// told takes a step, and tells the listener of it, when there is one.
template <class Take>
auto told(const StepListener& listener, Step step, Take take) -> decltype(take()) {
  if (!listener) return take();
  listener(step);
  auto result = take();
  step.ended = true;
  step.failure = result ? nullptr : &result.error();
  listener(step);
  return result;
}

}  // namespace ratls
