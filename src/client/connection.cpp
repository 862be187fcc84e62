// SPDX-License-Identifier: Apache-2.0
#include "client/connection.h"

#include "client/attempt.h"

namespace ratls::client {
Result<ClientResponse> Connection::send(Message message, const BodySink& sink) {
  for (int followed = 0;; ++followed) {
    RATLS_TRY(ClientResponse response, repeated(options_.retries, [&] {
                Tried<ClientResponse> tried = try_send(message, sink);
                if (!tried.expired) return tried;
                easy_.reset();  // closes the kept connection
                return try_send(message, sink);
              }));
    const std::string location = redirect_location(response.status, response.headers);
    if (location.empty() || options_.max_redirects == 0) return response;
    if (followed == options_.max_redirects) {
      return Error(Code::redirect_refused, message.url.origin,
                   "more than " + std::to_string(followed) + " redirects");
    }
    RATLS_CHECK(redirect(message, response.status, location));
  }
}

Result<std::shared_ptr<const AttestedSession>> Connection::connect(const Url& url) {
  return repeated(options_.retries, [&] { return try_connect(url); });
}

std::shared_ptr<const Verdict> Connection::last_verdict() const {
  const std::lock_guard lock(verdict_mutex_);
  return verdict_;
}

Tried<ClientResponse> Connection::try_send(const Message& message, const BodySink& sink) {
  if (easy_ == nullptr) {
    auto made = new_easy();
    if (!made) return {.result = std::move(made).error()};
    easy_ = std::move(made).value();
  }
  Attempt attempt(easy_.get(), peer_, clock_, options_);
  Tried<ClientResponse> tried{.result = attempt.send(message, proxy_, sink)};
  tried.may_repeat = !tried.result && attempt.may_repeat(tried.result.error());
  tried.expired = attempt.expired();
  remember(attempt.verdict());
  return tried;
}

Tried<std::shared_ptr<const AttestedSession>> Connection::try_connect(const Url& url) {
  auto made = new_easy();
  if (!made) return {.result = std::move(made).error()};
  const Easy easy = std::move(made).value();
  Attempt attempt(easy.get(), peer_, clock_, options_);
  Tried<std::shared_ptr<const AttestedSession>> tried{.result = attempt.connect(url, proxy_)};
  tried.may_repeat = !tried.result && attempt.may_repeat(tried.result.error());
  remember(attempt.verdict());
  return tried;
}

void Connection::remember(const std::shared_ptr<const Verdict>& verdict) {
  if (verdict == nullptr) return;
  const std::lock_guard lock(verdict_mutex_);
  verdict_ = verdict;
}

}  // namespace ratls::client
