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
  const std::shared_ptr<Dialing> dialing(new Dialing(loop, std::move(wake)));
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(dialing);
  }
  changed_.notify_one();
  return dialing;
}

/// next waits for a connection that is wanted; null at the end.
std::shared_ptr<Dialing> Dialer::next() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return nullptr;
    auto dialing = waiting_.front().lock();
    waiting_.pop_front();
    if (dialing) return dialing;
  }
}

void Dialer::run() {
  while (const auto dialing = next()) dialing->finish(connect_());
}

}  // namespace ratls::server
