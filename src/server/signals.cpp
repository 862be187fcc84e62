// SPDX-License-Identifier: Apache-2.0
#include "server/signals.h"

#include <pthread.h>

#include <csignal>

#include "server/log.h"

namespace ratls::server {
namespace {

sigset_t termination_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

sigset_t reload_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void block_termination_signals() {
  const sigset_t set = termination_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool termination_is_pending() {
  sigset_t pending;
  sigemptyset(&pending);
  return ::sigpending(&pending) == 0 &&
         (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

void block_reload_signal() {
  const sigset_t set = reload_signal();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void wait_for_termination(const std::function<void()>& reload) {
  block_termination_signals();
  const sigset_t set = termination_signals();
  sigset_t awaited = set;
  if (reload) {
    block_reload_signal();
    sigaddset(&awaited, SIGHUP);
  }
  int received = 0;
  while (::sigwait(&awaited, &received) != 0 || received == SIGHUP) {
    if (received == SIGHUP) reload();
    received = 0;
  }
  log(LogLevel::info,
      received == SIGTERM ? "SIGTERM: the server stops" : "SIGINT: the server stops");
  // Who cannot wait for the requests in flight sends another one.
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace ratls::server
