// SPDX-License-Identifier: Apache-2.0
#include "base/sigpipe.h"

#include <csignal>
#include <ctime>

namespace ratls {
namespace {

sigset_t pipe_signal() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

bool is_pending() noexcept {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

SigpipeSilence::SigpipeSilence() noexcept : pending_before_(is_pending()) {
  const sigset_t pipe = pipe_signal();
  sigset_t before;
  sigemptyset(&before);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  blocked_before_ = sigismember(&before, SIGPIPE) == 1;
}

SigpipeSilence::~SigpipeSilence() {
  const sigset_t pipe = pipe_signal();
  const timespec at_once{};
  if (!pending_before_ && is_pending()) sigtimedwait(&pipe, nullptr, &at_once);
  if (!blocked_before_) pthread_sigmask(SIG_UNBLOCK, &pipe, nullptr);
}

}  // namespace ratls
