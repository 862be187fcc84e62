// SPDX-License-Identifier: Apache-2.0
#include "server/thread.h"

#include <pthread.h>

#include <csignal>
#include <cstring>

namespace ratls::server {
namespace {

constexpr std::size_t kStackSize = 512 * 1024;

sigset_t all_but_faults() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    sigdelset(&set, fault);
  }
  return set;
}

}  // namespace

struct Thread::State {
  std::string name;
  std::function<void()> body;
  pthread_t id{};
  bool joined = false;

  static void* run(void* argument) {
    auto* state = static_cast<State*>(argument);
    // Gramine has no thread names (ENOSYS); nothing depends on them.
    pthread_setname_np(pthread_self(), state->name.c_str());
    state->body();
    return nullptr;
  }
};

Thread::Thread(std::unique_ptr<State> state) : state_(std::move(state)) {}
Thread::Thread(Thread&&) noexcept = default;
Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    join();
    state_ = std::move(other.state_);
  }
  return *this;
}
Thread::~Thread() { join(); }

Result<Thread> Thread::start(std::string name, std::function<void()> body) {
  auto state = std::make_unique<State>();
  state->name = std::move(name);
  state->body = std::move(body);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  // The new thread inherits the mask, so no signal finds it before it is set.
  const sigset_t blocked = all_but_faults();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const int error = pthread_create(&state->id, &attributes, &State::run, state.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    return Error(Code::internal, "thread " + state->name,
                 "cannot be started: " + std::string(std::strerror(error)));
  }
  return Thread(std::move(state));
}

void Thread::join() {
  if (state_ == nullptr || state_->joined) return;
  pthread_join(state_->id, nullptr);
  state_->joined = true;
}

}  // namespace ratls::server
