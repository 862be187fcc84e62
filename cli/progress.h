// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "ratls/client.h"

namespace ratls::cli {

/// ProgressBar draws on the terminal's last line how far a request has come, once that takes
/// longer, and takes the line away at its end.
class ProgressBar {
 public:
  ProgressBar() = default;
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const Progress& progress);

 private:
  using Clock = std::chrono::steady_clock;
  // Answers that come soon need no bar.
  Clock::time_point next_ = Clock::now() + std::chrono::milliseconds(300);
  bool drawn_ = false;
};

}  // namespace ratls::cli
