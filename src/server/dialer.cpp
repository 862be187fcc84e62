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
    if (waiting_.size() >= kMostWaiting) {
      std::erase_if(waiting_, [](const auto& other) { return other.expired(); });
    }
    if (waiting_.size() >= kMostWaiting) return nullptr;
    waiting_.push_back(dialing);
  }
  changed_.notify_one();
  return dialing;
}

/// take_longest_waiting takes it out of the queue; null when nobody waits.
std::shared_ptr<Dialing> Dialer::take_longest_waiting() {
  while (!waiting_.empty()) {
    auto dialing = waiting_.front().lock();
    waiting_.pop_front();
    if (dialing) return dialing;
  }
  return nullptr;
}

void Dialer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const std::weak_ptr<Dialing> wanted = take_longest_waiting();
    lock.unlock();
    if (!wanted.expired()) make(wanted);
    lock.lock();
  }
}

/// make makes a connection for one who waited. An error is for nobody else.
void Dialer::make(const std::weak_ptr<Dialing>& wanted) {
  Dialing::Outcome outcome = connect_();
  auto dialing = wanted.lock();
  if (!dialing && outcome) {
    const std::lock_guard lock(mutex_);
    dialing = take_longest_waiting();
  }
  if (dialing) dialing->finish(std::move(outcome));
}

}  // namespace ratls::server
