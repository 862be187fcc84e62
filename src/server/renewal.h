// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "ratls/attester.h"
#include "ratls/tls.h"
#include "server/staple.h"
#include "server/thread.h"

namespace ratls::server {

/// RenewalSchedule says when a certificate is due: at two thirds of its life, or when the clock was
/// set back to before it was valid; after a failure again in 5 seconds, then in twice the time, up
/// to 5 minutes. Thread-safety: none.
class RenewalSchedule {
 public:
  RenewalSchedule(UnixTime made, UnixTime not_after) : made_(made), not_after_(not_after) {}

  bool is_due(UnixTime now) const;
  void succeeded(UnixTime now, UnixTime not_after);
  void failed(UnixTime now);
  /// pause is how long to sleep before the clock is to be read again: it may jump, so never more
  /// than 30 seconds.
  std::chrono::seconds pause(UnixTime now) const;

 private:
  UnixTime due_time() const;

  UnixTime made_;
  UnixTime not_after_;
  std::optional<UnixTime> failed_at_;
  std::chrono::seconds backoff_{0};
};

/// bring makes a certificate bring what the staple says that it is to bring, or no more when that
/// cannot be done, which is logged. It gives what it was asked to bring; staple may be null.
Bytes bring(AttestedCertificate& certificate, const Staple* staple, UnixTime now);

/// Renewal exchanges the certificate of a ServerTls from a thread of its own; while that fails the
/// old certificate serves on. It also keeps stapled collateral fresh, and the certificate that
/// brings it. Owns: the attester and the certificate; the ServerTls and the Staple must outlive it.
class Renewal {
 public:
  /// Current is the certificate that the ServerTls has, and what it was made to bring.
  struct Current {
    AttestedCertificate certificate;
    Bytes endorsements;
  };

  /// staple may be null.
  Renewal(Attester attester, ServerTls& tls, RenewalSchedule schedule, Current current,
          Staple* staple = nullptr);
  ~Renewal();  // stops

  /// Errors: internal.
  Result<void> start();
  /// stop waits for a quote that is being made and for collateral that is being looked for.
  void stop();

 private:
  void run();
  void renew(UnixTime now);
  void renew_staple(UnixTime now);

  Attester attester_;
  ServerTls& tls_;
  RenewalSchedule schedule_;
  Current current_;
  Staple* const staple_;
  std::mutex mutex_;
  std::condition_variable stop_wanted_;
  bool stopping_ = false;
  std::optional<Thread> thread_;
};

}  // namespace ratls::server
