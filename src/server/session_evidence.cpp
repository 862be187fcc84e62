// SPDX-License-Identifier: Apache-2.0
#include "server/session_evidence.h"

#include <utility>

#include "server/log.h"

namespace ratls::server {
namespace {

// At ten quotes a second the last of them waits for as long as clients do.
constexpr std::size_t kMostWaiting = 64;

}  // namespace

Result<void> SessionEvidence::start() {
  RATLS_TRY(Thread thread, Thread::start("ratls-evidence", [this] { run(); }));
  thread_.emplace(std::move(thread));
  return {};
}

bool SessionEvidence::make(SessionBinding binding, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= kMostWaiting) return false;
    waiting_.push_back({std::move(binding), std::move(done)});
  }
  changed_.notify_all();
  return true;
}

void SessionEvidence::use(Attester attester) {
  const std::lock_guard lock(mutex_);
  attester_ = std::move(attester);
}

void SessionEvidence::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_) thread_->join();
}

void SessionEvidence::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Wanted wanted = std::move(waiting_.front());
    waiting_.pop_front();
    const Attester attester = attester_;
    lock.unlock();
    auto made = metrics_.attest(attester, wanted.binding);
    if (!made) {
      log(LogLevel::error, "no evidence for a session: " + made.error().message());
    }
    wanted.done(std::move(made));
    lock.lock();
  }
}

}  // namespace ratls::server
