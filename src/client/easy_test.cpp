// SPDX-License-Identifier: Apache-2.0
#include "client/easy.h"

#include <gtest/gtest.h>

#include <csignal>

namespace ratls::client {
namespace {

bool pipe_is_blocked() {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return sigismember(&now, SIGPIPE) == 1;
}

TEST(Silence, SwallowsSigpipeAndRestoresTheMask) {
  ASSERT_FALSE(pipe_is_blocked());
  {
    const Silence silence;
    ::pthread_kill(::pthread_self(), SIGPIPE);  // would end this process
    const Silence inner;
    EXPECT_TRUE(pipe_is_blocked());
  }
  EXPECT_FALSE(pipe_is_blocked());
}

TEST(Silence, LeavesTheSignalOfSomebodyElse) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  ::pthread_kill(::pthread_self(), SIGPIPE);
  { const Silence silence; }
  EXPECT_TRUE(pipe_is_blocked());
  const timespec at_once{};
  EXPECT_EQ(sigtimedwait(&pipe, nullptr, &at_once), SIGPIPE);
  pthread_sigmask(SIG_UNBLOCK, &pipe, nullptr);
}

TEST(Options, RememberARefusedOption) {
  const auto easy = new_easy();
  ASSERT_TRUE(easy);
  Options set(easy->get());
  EXPECT_TRUE(set.set(CURLOPT_NOSIGNAL, 1L).done());
  set.set(static_cast<CURLoption>(9999), 1L).set(CURLOPT_NOSIGNAL, 1L);
  ASSERT_FALSE(set.done());
  EXPECT_EQ(set.done().error().code(), Code::internal);
}

TEST(SetConnection, UsesOptionsThatThisLibcurlKnows) {
  const auto easy = new_easy();
  ASSERT_TRUE(easy);
  Options set(easy->get());
  set_connection(easy->get(), set, *parse_url("https://host"), {}, {});
  EXPECT_TRUE(set.done());
}

}  // namespace
}  // namespace ratls::client
