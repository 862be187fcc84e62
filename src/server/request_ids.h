// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "ratls/bytes.h"

namespace ratls::server {

/// RequestIds makes the names of requests: 32 hex digits, random, so that one says nothing of
/// another, nor of how many there are. Thread-safety: none.
class RequestIds {
 public:
  std::string next();

 private:
  static constexpr std::size_t kIdBytes = 16;
  std::array<std::uint8_t, 64 * kIdBytes> random_{};  // for some requests: each call has its price
  std::size_t used_ = random_.size();
};

}  // namespace ratls::server
