// SPDX-License-Identifier: Apache-2.0
#include "cli/steps.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <vector>

#include "cli/print.h"

namespace ratls::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

class StepPrinter {
 public:
  void operator()(const Step& step) {
    const Clock::time_point now = Clock::now();
    if (!step.ended) {
      begun_.push_back(now);
      // Steps of the verification alone need no patience.
      if (step.letters.empty()) write(now, step, "...");
      return;
    }
    const Milliseconds taken = now - begun_.back();
    begun_.pop_back();
    write(now, step,
          step.failure != nullptr
              ? fmt::format("{} after {:.3f} ms", red(printable(step.failure->message())),
                            taken.count())
              : fmt::format("{} in {:.3f} ms", green("ok"), taken.count()));
  }

 private:
  void write(Clock::time_point now, const Step& step, std::string_view outcome) const {
    std::string name(step.letters);
    name += (name.empty() ? "" : ": ") + std::string(step.what);
    if (!step.detail.empty()) name += " (" + printable(step.detail) + ")";
    print_note(
        fmt::format("* {:9.3f} ms  {} {}\n", Milliseconds(now - start_).count(), name, outcome));
  }

  const Clock::time_point start_ = Clock::now();
  std::vector<Clock::time_point> begun_;  // of the steps that have not ended, each inside the last
};

}  // namespace

StepListener step_printer() {
  // Listeners are copied, into requests and TLS contexts.
  return [printer = std::make_shared<StepPrinter>()](const Step& step) { (*printer)(step); };
}

}  // namespace ratls::cli
