// SPDX-License-Identifier: Apache-2.0
#include "server/session_evidence.h"

#include <utility>

#include "server/log.h"

namespace ratls::server {
namespace {

// At ten quotes a second the last of them waits for some seconds.
constexpr std::size_t kMostWaiting = 64;

}  // namespace

Result<void> SessionEvidence::start() {
  RATLS_TRY(Thread thread, Thread::start("ratls-evidence", [this] { run(); }));
  thread_.emplace(std::move(thread));
  return {};
}

bool SessionEvidence::make(SessionBinding binding, std::weak_ptr<const void> asker, Done done) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(waiting_, [](const Wanted& wanted) { return wanted.asker.expired(); });
    if (stopping_ || waiting_.size() >= kMostWaiting) {
      metrics_.turned_away.add();
      return false;
    }
    waiting_.push_back({std::move(binding), std::move(asker), std::move(done)});
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
    if (wanted.asker.expired()) continue;
    const Attester attester = attester_;
    lock.unlock();
    wanted.done(attest(attester, wanted.binding));
    lock.lock();
  }
}

// Anybody may ask, so the log has a line for each change only.
Result<Bytes> SessionEvidence::attest(const Attester& attester, const SessionBinding& binding) {
  auto made = metrics_.attest(attester, binding);
  if (!made && !failing_) {
    log(LogLevel::error, "evidence for sessions cannot be made: " + made.error().message());
  } else if (made && failing_) {
    log(LogLevel::info, "evidence for sessions is made again");
  }
  failing_ = !made;
  return made;
}

}  // namespace ratls::server
