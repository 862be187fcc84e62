// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "ratls/attester.h"
#include "server/metrics.h"
#include "server/thread.h"

namespace ratls::server {

/// SessionEvidence makes evidence for clients' sessions, on a thread of its own, because a quote
/// takes its time: one after the other, in the order in which they ask. Thread-safety: any thread.
class SessionEvidence {
 public:
  using Done = std::function<void(Result<Bytes>)>;

  /// metrics must live longer.
  SessionEvidence(Attester attester, SessionMetrics& metrics)
      : attester_(std::move(attester)), metrics_(metrics) {}
  ~SessionEvidence() { stop(); }

  /// Errors: internal.
  Result<void> start();
  /// make has the evidence made; done is called from the thread, unless asker has ended before its
  /// turn. False when too many wait already.
  bool make(SessionBinding binding, std::weak_ptr<const void> asker, Done done);
  /// use takes another attester for what is made from now on.
  void use(Attester attester);
  /// stop waits for a quote that is being made; what waits behind it is dropped.
  void stop();

 private:
  struct Wanted {
    SessionBinding binding;
    std::weak_ptr<const void> asker;
    Done done;
  };
  void run();
  Result<Bytes> attest(const Attester& attester, const SessionBinding& binding);

  std::mutex mutex_;  // for the members below
  std::condition_variable changed_;
  Attester attester_;
  std::deque<Wanted> waiting_;
  bool stopping_ = false;

  SessionMetrics& metrics_;
  bool failing_ = false;  // the thread's
  std::optional<Thread> thread_;
};

}  // namespace ratls::server
