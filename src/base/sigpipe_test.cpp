// SPDX-License-Identifier: Apache-2.0
#include "base/sigpipe.h"

#include <gtest/gtest.h>

#include <csignal>
#include <ctime>

namespace ratls {
namespace {

bool pipe_is_blocked() {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return sigismember(&now, SIGPIPE) == 1;
}

TEST(SigpipeSilence, SwallowsSigpipeAndRestoresTheMask) {
  ASSERT_FALSE(pipe_is_blocked());
  {
    const SigpipeSilence silence;
    ::pthread_kill(::pthread_self(), SIGPIPE);  // would end this process
    const SigpipeSilence inner;
    EXPECT_TRUE(pipe_is_blocked());
  }
  EXPECT_FALSE(pipe_is_blocked());
}

TEST(SigpipeSilence, LeavesTheSignalOfSomebodyElse) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  ::pthread_kill(::pthread_self(), SIGPIPE);
  { const SigpipeSilence silence; }
  EXPECT_TRUE(pipe_is_blocked());
  const timespec at_once{};
  EXPECT_EQ(sigtimedwait(&pipe, nullptr, &at_once), SIGPIPE);
  pthread_sigmask(SIG_UNBLOCK, &pipe, nullptr);
}

}  // namespace
}  // namespace ratls
