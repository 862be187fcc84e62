// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ratls/result.h"

namespace ratls::server {

/// Thread is a thread of the server: a stack of a known size, because Gramine's default follows the
/// manifest, and all signals blocked but those of a fault, so that SIGTERM goes to sigwait and a
/// write to a closed connection (OpenSSL uses write(2)) ends in EPIPE. Move-only.
class Thread {
 public:
  /// start runs body. Errors: internal.
  static Result<Thread> start(std::string name, std::function<void()> body);
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;
  ~Thread();  // joins

  /// join waits for the end of body; more than once is allowed.
  void join();

 private:
  struct State;
  explicit Thread(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ratls::server
