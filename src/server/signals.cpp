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

/// next_signal is the one that comes within that time, or -1.
int next_signal(const sigset_t& awaited, std::optional<std::chrono::microseconds> within) {
  if (!within) return ::sigwaitinfo(&awaited, nullptr);
  const auto whole = std::chrono::floor<std::chrono::seconds>(*within);
  const std::chrono::nanoseconds rest = *within - whole;
  const timespec limit{static_cast<time_t>(whole.count()), static_cast<long>(rest.count())};
  return ::sigtimedwait(&awaited, nullptr, &limit);
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

void wait_for_termination(const WhileWaiting& meanwhile) {
  block_termination_signals();
  const sigset_t set = termination_signals();
  sigset_t awaited = set;
  if (meanwhile.reload) {
    block_reload_signal();
    sigaddset(&awaited, SIGHUP);
  }
  int received = 0;
  while (received != SIGTERM && received != SIGINT) {
    received = next_signal(awaited, meanwhile.beat_period);
    if (received == SIGHUP) meanwhile.reload();
    // Also after a signal: many of them must not stop it.
    if (meanwhile.beat_period) meanwhile.beat();
  }
  log(LogLevel::info,
      received == SIGTERM ? "SIGTERM: the server stops" : "SIGINT: the server stops");
  // Who cannot wait for the requests in flight sends another one.
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace ratls::server
