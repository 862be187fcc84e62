// SPDX-License-Identifier: Apache-2.0
#include "server/staple.h"

#include <algorithm>
#include <utility>

#include "http/write.h"
#include "server/log.h"

namespace ratls::server {
namespace {

constexpr std::chrono::seconds kPeriod = std::chrono::hours(1);
constexpr std::chrono::seconds kPeriodAfterFailure = std::chrono::minutes(5);
constexpr std::chrono::seconds kLeastPause = std::chrono::minutes(1);

}  // namespace

bool Staple::is_due(UnixTime now) const {
  // A clock that was set back would put it off by as much.
  if (!next_ || now >= *next_ || now < asked_) return true;
  return again_ && now >= asked_again_ + kLeastPause;
}

void Staple::refresh_if_due(BytesView certificate, UnixTime now) {
  if (!is_due(now)) return;
  asked_ = now;
  asked_again_ = std::exchange(again_, false) ? now : std::min(asked_again_, now);
  auto collateral = provider_(certificate, now);
  next_ = now + (collateral ? kPeriod : kPeriodAfterFailure);
  if (!collateral) {
    log(LogLevel::error, "no collateral to hand out: " + collateral.error().message() + " (" +
                             collateral.error().where() + ")");
    return;
  }
  const std::lock_guard lock(mutex_);
  current_ = std::make_shared<const StapledCollateral>(std::move(*collateral));
}

std::shared_ptr<const StapledCollateral> Staple::current(UnixTime now) const {
  const std::lock_guard lock(mutex_);
  return current_ != nullptr && now <= current_->expires ? current_ : nullptr;
}

Response Staple::answer(UnixTime now) const {
  const auto collateral = current(now);
  if (collateral == nullptr) return http::refusal_response({404, "There is no collateral here."});
  return {200,
          {{"Content-Type", "application/json"}, {"Cache-Control", "max-age=300"}},
          collateral->text};
}

Bytes Staple::endorsements(UnixTime now) const {
  const auto collateral = current(now);
  return collateral == nullptr ? Bytes() : collateral->endorsements;
}

std::optional<UnixTime> Staple::expires() const {
  const std::lock_guard lock(mutex_);
  if (current_ == nullptr) return std::nullopt;
  return current_->expires;
}

}  // namespace ratls::server
