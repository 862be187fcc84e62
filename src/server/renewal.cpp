// SPDX-License-Identifier: Apache-2.0
#include "server/renewal.h"

#include <algorithm>
#include <utility>

#include "server/log.h"

namespace ratls::server {
namespace {

using std::chrono::seconds;

constexpr seconds kFirstBackoff{5};
constexpr seconds kLongestBackoff{300};
constexpr seconds kLongestPause{30};
// A certificate is valid from 5 minutes before it was made.
constexpr seconds kBackdating{300};

}  // namespace

UnixTime RenewalSchedule::due_time() const {
  if (failed_at_) return *failed_at_ + backoff_;
  return made_ + (not_after_ - made_) * 2 / 3;
}

bool RenewalSchedule::is_due(UnixTime now) const {
  if (failed_at_ && now < *failed_at_) return true;  // the clock was set back
  return now >= due_time() || (!failed_at_ && now + kBackdating < made_);
}

void RenewalSchedule::succeeded(UnixTime now, UnixTime not_after) {
  made_ = now;
  not_after_ = not_after;
  failed_at_.reset();
  backoff_ = seconds(0);
}

void RenewalSchedule::failed(UnixTime now) {
  failed_at_ = now;
  backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kLongestBackoff);
}

seconds RenewalSchedule::pause(UnixTime now) const {
  return std::clamp(due_time() - now, seconds(1), kLongestPause);
}

Renewal::Renewal(Attester attester, AttestedCertificate certificate, ServerTls& tls,
                 RenewalSchedule schedule, Staple* staple)
    : attester_(std::move(attester)),
      certificate_(std::move(certificate)),
      tls_(tls),
      schedule_(schedule),
      staple_(staple) {}

Renewal::~Renewal() { stop(); }

Result<void> Renewal::start() {
  RATLS_TRY(Thread thread, Thread::start("ratls-renewal", [this] { run(); }));
  thread_.emplace(std::move(thread));
  return {};
}

void Renewal::reload(std::optional<Attester> attester) {
  {
    const std::lock_guard lock(mutex_);
    reloading_ = true;
    if (attester) next_attester_ = std::move(attester);
  }
  wanted_.notify_all();
}

void Renewal::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  if (thread_) thread_->join();
}

void Renewal::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wanted_.wait_for(lock, schedule_.pause(system_now()),
                     [this] { return stopping_ || reloading_; });
    if (stopping_) return;
    const bool reloading = std::exchange(reloading_, false);
    const auto attester = std::exchange(next_attester_, std::nullopt);
    lock.unlock();
    const UnixTime now = system_now();
    if (attester) attester_ = *attester;
    if (attester || schedule_.is_due(now)) renew(now);
    if (staple_ != nullptr && reloading) staple_->ask_again();
    refresh_staple(now);
    lock.lock();
  }
}

void Renewal::renew(UnixTime now) {
  const auto replace = [&]() -> Result<UnixTime> {
    RATLS_TRY(AttestedCertificate certificate, metrics_->certify(attester_, now));
    Bytes endorsements = endorse(certificate, now);
    RATLS_CHECK(tls_.replace(certificate));
    certificate_ = std::move(certificate);
    endorsements_ = std::move(endorsements);
    return certificate_.not_after();
  };
  const Result<UnixTime> not_after = replace();
  if (not_after) {
    schedule_.succeeded(now, *not_after);
    log(LogLevel::info, "the certificate was renewed, valid until " + format_time(*not_after));
  } else {
    schedule_.failed(now);
    log(LogLevel::error, "the certificate could not be renewed: " + not_after.error().message());
  }
}

// What the certificate was to bring; when it cannot, it brings nothing.
Bytes Renewal::endorse(AttestedCertificate& certificate, UnixTime now) const {
  if (staple_ == nullptr) return {};
  Bytes endorsements = staple_->endorsements(now);
  const auto endorsed = certificate.endorse(endorsements);
  if (endorsed) return endorsements;
  log(LogLevel::error,
      "the certificate cannot bring the collateral: " + endorsed.error().message());
  const auto plain = certificate.endorse({});
  if (!plain) log(LogLevel::error, "the certificate stays as it was: " + plain.error().message());
  return endorsements;
}

void Renewal::refresh_staple(UnixTime now) {
  if (staple_ == nullptr) return;
  staple_->refresh_if_due(certificate_.certificate_der(), now);
  if (staple_->endorsements(now) == endorsements_) return;
  Bytes endorsements = endorse(certificate_, now);
  const auto replaced = tls_.replace(certificate_);
  if (!replaced) {  // the next time again
    log(LogLevel::error, "the certificate could not be exchanged: " + replaced.error().message());
    return;
  }
  const bool is_first = endorsements_.empty();
  endorsements_ = std::move(endorsements);
  log(LogLevel::info, is_first ? "collateral was found for the certificate"
                               : "the certificate was signed anew, for other collateral");
}

}  // namespace ratls::server
