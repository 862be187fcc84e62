// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "ratls/attester.h"
#include "ratls/tls.h"
#include "server/metrics.h"
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

/// Renewal exchanges the certificate of a ServerTls from a thread of its own; while that fails the
/// old certificate serves on. It also keeps stapled collateral fresh, and the certificate that
/// brings it. Owns: the attester and the certificate; the ServerTls and the Staple must outlive it.
class Renewal {
 public:
  /// certificate is the one that tls has; staple may be null.
  Renewal(Attester attester, AttestedCertificate certificate, ServerTls& tls,
          RenewalSchedule schedule, Staple* staple = nullptr);
  ~Renewal();  // stops

  /// refresh_staple looks for collateral when that is due, and exchanges the certificate when it is
  /// to bring other collateral than it does: for one of the same key and quotes, so that it needs
  /// no new quote. Before start(), after which the thread does it. Blocks: as the provider does.
  void refresh_staple(UnixTime now);

  /// count_in counts certificates there. Before start(); the metrics must outlive this.
  void count_in(CertificateMetrics& metrics) { metrics_ = &metrics; }

  /// Errors: internal.
  Result<void> start();
  /// reload looks for stapled collateral at once, and makes a certificate with another attester
  /// when there is one. Both beside the traffic, as ever. Thread-safety: any thread.
  void reload(std::optional<Attester> attester);
  /// stop waits for a quote that is being made and for collateral that is being looked for.
  void stop();

 private:
  void run();
  void renew(UnixTime now);
  Bytes endorse(AttestedCertificate& certificate, UnixTime now) const;

  Attester attester_;
  AttestedCertificate certificate_;
  Bytes endorsements_;  // what the certificate that tls_ has was to bring
  ServerTls& tls_;
  RenewalSchedule schedule_;
  CertificateMetrics own_metrics_;
  CertificateMetrics* metrics_ = &own_metrics_;
  Staple* const staple_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  bool stopping_ = false;
  bool reloading_ = false;
  std::optional<Attester> next_attester_;
  std::optional<Thread> thread_;
};

}  // namespace ratls::server
