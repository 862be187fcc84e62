// SPDX-License-Identifier: Apache-2.0
#include "server/staple.h"

#include "http/write.h"
#include "server/log.h"

namespace ratls::server {
namespace {

constexpr std::chrono::seconds kPeriod = std::chrono::hours(1);
constexpr std::chrono::seconds kPeriodAfterFailure = std::chrono::minutes(5);

}  // namespace

void Staple::refresh_if_due(BytesView certificate, UnixTime now) {
  // A clock that was set back would put it off by as much.
  if (next_ && now < *next_ && now >= asked_) return;
  asked_ = now;
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

Response Staple::answer(UnixTime now) const {
  std::shared_ptr<const StapledCollateral> current;
  {
    const std::lock_guard lock(mutex_);
    current = current_;
  }
  if (current == nullptr || now > current->expires) {
    return http::refusal_response({404, "There is no collateral here."});
  }
  return {
      200, {{"Content-Type", "application/json"}, {"Cache-Control", "max-age=300"}}, current->text};
}

std::optional<UnixTime> Staple::expires() const {
  const std::lock_guard lock(mutex_);
  if (current_ == nullptr) return std::nullopt;
  return current_->expires;
}

}  // namespace ratls::server
