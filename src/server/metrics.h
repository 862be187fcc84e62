// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "ratls/attester.h"

// What a server counts about itself, for GET /metrics.
namespace ratls::server {

/// Counter is counted up by one thread and read by any. That costs what a plain number costs: one
/// writer needs no locked instruction.
class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.store(value() + amount, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Histogram counts durations by their size. Thread-safety: as Counter.
class Histogram {
 public:
  struct Bound {
    std::chrono::microseconds most;
    const char* seconds;
  };
  static constexpr std::array<Bound, 16> kBounds = {{
      {std::chrono::microseconds(500), "0.0005"},
      {std::chrono::milliseconds(1), "0.001"},
      {std::chrono::microseconds(2500), "0.0025"},
      {std::chrono::milliseconds(5), "0.005"},
      {std::chrono::milliseconds(10), "0.01"},
      {std::chrono::milliseconds(25), "0.025"},
      {std::chrono::milliseconds(50), "0.05"},
      {std::chrono::milliseconds(100), "0.1"},
      {std::chrono::milliseconds(250), "0.25"},
      {std::chrono::milliseconds(500), "0.5"},
      {std::chrono::seconds(1), "1"},
      {std::chrono::milliseconds(2500), "2.5"},
      {std::chrono::seconds(5), "5"},
      {std::chrono::seconds(10), "10"},
      {std::chrono::seconds(30), "30"},
      {std::chrono::seconds(60), "60"},
  }};

  /// observe counts one duration; a negative one, of a clock that was set back, as none.
  void observe(std::chrono::nanoseconds duration) noexcept;

  /// bucket is how many were within a bound and not within the one before; the last is beyond all.
  std::uint64_t bucket(std::size_t index) const { return buckets_.at(index).value(); }
  std::uint64_t nanoseconds() const noexcept { return nanoseconds_.value(); }

 private:
  std::array<Counter, kBounds.size() + 1> buckets_;
  Counter nanoseconds_;  // of all together
};

/// HandshakeFailure is why a connection got no further than its handshake.
enum class HandshakeFailure {
  alert,     ///< the client refused, the certificate for one
  closed,    ///< the client left
  protocol,  ///< no version or cipher in common, or no TLS at all
  timeout
};

/// WorkerMetrics are those of one worker: written on its thread, read on any. Aligned, so that
/// workers do not share cache lines.
struct alignas(64) WorkerMetrics {
  Counter accepted;
  Counter turned_away;  ///< answered with 503 for want of a place
  Counter handshakes;
  std::array<Counter, 4> handshake_failures;
  std::array<Counter, 5> answers;  ///< by the first digit of the status
  Counter unfinished;              ///< answers of an app that the client did not get whole
  std::array<Counter, 3> upstream_failures;  ///< 502, 503, 504
  Histogram latency;
  // As the last tick found them, at most a second ago.
  std::atomic<std::size_t> handshaking{0};
  std::atomic<std::size_t> idle{0};

  void count_answer(int status) {
    answers.at(static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1)).add();
  }
  void count_failure(HandshakeFailure why) {
    handshake_failures.at(static_cast<std::size_t>(why)).add();
  }
};

/// CertificateMetrics are written by one thread after the other: that of start(), then renewal's.
struct CertificateMetrics {
  Histogram duration;  ///< of making one, nearly all of it for its quotes
  Counter failures;
  std::atomic<std::int64_t> expires{0};  ///< Unix time; 0: there is none yet

  /// certify asks the attester for a certificate and counts how that went.
  Result<AttestedCertificate> certify(const Attester& attester, UnixTime now);
};

/// SessionMetrics are written by the thread that makes evidence for sessions, turned_away by one
/// thread after the other.
struct SessionMetrics {
  Histogram duration;  ///< of making it, nearly all of it for its quote
  Counter failures;
  Counter turned_away;  ///< who asked when too many waited

  /// attest has the attester make it and counts how that went.
  Result<Bytes> attest(const Attester& attester, const SessionBinding& binding);
};

enum class Phase { starting, serving, draining };

/// ServerMetrics are those of a server as a whole.
struct ServerMetrics {
  const UnixTime started = system_now();
  std::atomic<Phase> phase{Phase::starting};
  CertificateMetrics certificates;
  SessionMetrics sessions;
  Counter app_restarts;
};

}  // namespace ratls::server
