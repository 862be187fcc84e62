// SPDX-License-Identifier: Apache-2.0
#include "server/dialer.h"

namespace ratls::server {

std::optional<Dialing::Outcome> Dialing::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outcome_, std::nullopt);
}

void Dialing::finish(Outcome outcome) {
  {
    const std::lock_guard lock(mutex_);
    outcome_.emplace(std::move(outcome));
  }
  loop_.post(wake_);
}

Result<std::unique_ptr<Dialer>> Dialer::start(Connect connect, unsigned threads) {
  std::unique_ptr<Dialer> dialer(new Dialer(std::move(connect)));
  for (unsigned count = 0; count < threads; ++count) {
    RATLS_TRY(Thread thread, Thread::start("ratls-dial", [&dialer = *dialer] { dialer.run(); }));
    dialer->threads_.push_back(std::move(thread));
  }
  return dialer;
}

Dialer::~Dialer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (Thread& thread : threads_) thread.join();
}

std::shared_ptr<Dialing> Dialer::begin(EventLoop& loop, std::function<void()> wake) {
  std::shared_ptr<Dialing> dialing(new Dialing(loop, std::move(wake)));
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMostWaiting || wanted() < kMostWaiting) {
      waiting_.push_back(dialing);
      changed_.notify_one();
      return dialing;
    }
  }
  dialing->finish(Error(Code::connection_failed, "dialer", "Too many requests are waiting."));
  return dialing;
}

/// wanted counts who waits still, and forgets the others.
std::size_t Dialer::wanted() {
  std::erase_if(waiting_, [](const auto& dialing) { return dialing.expired(); });
  return waiting_.size();
}

/// wait_for_want is true when a connection is wanted that no other thread makes; false at the end.
bool Dialer::wait_for_want() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopping_ || wanted() > connecting_; });
  if (stopping_) return false;
  ++connecting_;
  return true;
}

std::shared_ptr<Dialing> Dialer::longest_waiting() {
  const std::lock_guard lock(mutex_);
  --connecting_;
  while (!waiting_.empty()) {
    auto dialing = waiting_.front().lock();
    waiting_.pop_front();
    if (dialing) return dialing;
  }
  return nullptr;
}

void Dialer::run() {
  while (wait_for_want()) {
    Dialing::Outcome outcome = connect_();
    if (const auto dialing = longest_waiting()) dialing->finish(std::move(outcome));
  }
}

}  // namespace ratls::server
