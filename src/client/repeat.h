// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "ratls/result.h"

namespace ratls::client {

/// Tried is the outcome of one attempt.
template <class Value>
struct Tried {
  Result<Value> result;
  bool may_repeat = false;  ///< it failed, and trying again cannot do harm
  bool expired = false;     ///< it failed because a kept connection has outlived its verdict
};

/// repeated makes at most 1 + retries attempts, with growing pauses. Blocks.
template <class Try>
auto repeated(int retries, Try try_once) -> decltype(try_once().result) {
  constexpr std::chrono::milliseconds kLongestPause{5000};
  std::chrono::milliseconds pause{200};
  for (int left = retries;; --left) {
    auto tried = try_once();
    if (tried.result || !tried.may_repeat || left <= 0) return std::move(tried.result);
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace ratls::client
