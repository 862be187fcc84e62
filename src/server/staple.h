// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "ratls/server.h"

namespace ratls::server {

inline constexpr const char* kCollateralPath = "/.well-known/ratls/collateral";

/// Staple is the collateral that the server hands out for its own platform. It is looked for again
/// every hour, after a failure every 5 minutes, and when told to, but for that no more than once a
/// minute: whoever may say so must not make the server harm its source. What there is is handed out
/// until it expires.
/// Thread-safety: answer() and endorsements() from any thread; the rest from one.
class Staple {
 public:
  explicit Staple(StapleProvider provider) : provider_(std::move(provider)) {}

  /// refresh_if_due asks the provider when it is time, for the platform of this certificate.
  /// Blocks: as the provider does.
  void refresh_if_due(BytesView certificate, UnixTime now);

  /// ask_again makes it time at once, or at the end of the minute.
  void ask_again() { again_ = true; }

  /// answer is the collateral, or 404 while there is none in date.
  Response answer(UnixTime now) const;

  /// endorsements is what the certificate is to bring; empty for nothing.
  Bytes endorsements(UnixTime now) const;
  /// expires is the end of what there is. Thread-safety: any thread.
  std::optional<UnixTime> expires() const;

 private:
  bool is_due(UnixTime now) const;
  // Null while there is none in date.
  std::shared_ptr<const StapledCollateral> current(UnixTime now) const;

  const StapleProvider provider_;
  std::optional<UnixTime> next_;  // absent: at once
  UnixTime asked_{};
  bool again_ = false;      // was told to since
  UnixTime asked_again_{};  // when told to
  mutable std::mutex mutex_;
  std::shared_ptr<const StapledCollateral> current_;
};

}  // namespace ratls::server
