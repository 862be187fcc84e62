// SPDX-License-Identifier: Apache-2.0
#include "client/connection.h"

#include "client/line_channel.h"

namespace ratls::client {
namespace {

// Calls that overlap make connections of their own; this many of them are kept.
constexpr std::size_t kMaxIdle = 8;
constexpr std::size_t kPartSize = 64 * 1024;

// No exception of a sink may look like one of ours.
Result<void> hand_over(BytesView part, const BodySink& sink, const std::string& origin) {
  try {
    if (sink(part)) return {};
  } catch (...) {
    return Error(Code::internal, origin, "an exception of the receiver of the body");
  }
  return Error(Code::file_unwritable, origin, "the receiver of the body ended the transfer");
}

Result<void> read_all(Answer& answer, const BodySink& sink, std::string& body) {
  std::vector<std::uint8_t> part(kPartSize);
  for (;;) {
    RATLS_TRY(const std::size_t size, answer.attempt->read(part));
    if (size == 0) return {};
    if (sink) {
      RATLS_CHECK(hand_over(BytesView(part).first(size), sink, answer.message.url.origin));
      continue;
    }
    if (size > answer.options.max_body_bytes - body.size()) {
      return Error(Code::answer_too_large, answer.message.url.origin,
                   "more than " + std::to_string(answer.options.max_body_bytes) + " bytes");
    }
    body.append(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size));
  }
}

}  // namespace

Result<ClientResponse> Connection::send(Message message, const ClientOptions& limits,
                                        const BodySink& sink, const VerdictListener& listener) {
  RATLS_TRY(auto answer, open(std::move(message), limits, listener));
  const AnswerHead& head = answer->attempt->head();
  ClientResponse response{.status = head.status(),
                          .headers = head.headers(),
                          .body = "",
                          .session = answer->attempt->session()};
  RATLS_CHECK(read_all(*answer, sink, response.body));
  close(std::move(answer));
  return response;
}

Result<std::unique_ptr<Answer>> Connection::open(Message message, const ClientOptions& limits,
                                                 const VerdictListener& listener) {
  for (int followed = 0;; ++followed) {
    RATLS_TRY(auto answer, repeated(limits.retries, [&] {
                TriedAnswer tried = try_open(message, limits, listener, take_line());
                if (!tried.expired) return tried;
                return try_open(message, limits, listener, Line::open());
              }));
    const AnswerHead& head = answer->attempt->head();
    const std::string location = redirect_location(head.status(), head.headers());
    if (location.empty() || limits.max_redirects == 0) return answer;
    if (followed == limits.max_redirects) {
      return Error(Code::redirect_refused, message.url.origin,
                   "more than " + std::to_string(followed) + " redirects");
    }
    RATLS_CHECK(redirect(message, head.status(), location));
    close(std::move(answer));
  }
}

void Connection::close(std::unique_ptr<Answer> answer) {
  answer->attempt.reset();
  std::unique_ptr<Line> line = std::move(answer->line);
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(line));
}

Result<std::shared_ptr<const AttestedSession>> Connection::connect(
    const Url& url, const VerdictListener& listener) {
  return repeated(options_.retries, [&]() -> TriedSession {
    auto line = Line::open();
    if (!line) return {.result = std::move(line).error()};
    return attest(**line, url, options_, listener);
  });
}

/// attest makes a connection whose session passes the policy, for a new line.
Connection::TriedSession Connection::attest(Line& line, const Url& url, const ClientOptions& limits,
                                            const VerdictListener& listener) {
  ClientOptions options = limits;
  options.max_redirects = 0;
  if (wants_session_evidence()) options.total_timeout = evidence_timeout(limits);
  Attempt attempt(line, peer_, clock_, options);
  TriedSession tried{.result = wants_session_evidence() ? attempt.ask_session(url, proxy_)
                                                        : attempt.connect(url, proxy_)};
  tried.may_repeat = !tried.result && attempt.may_repeat(tried.result.error());
  remember(attempt.verdict(), listener);
  return tried;
}

Result<std::unique_ptr<Channel>> Connection::dial(const Url& url, const VerdictListener& listener) {
  const auto try_dial = [&]() -> Tried<std::unique_ptr<Channel>> {
    auto line = Line::open();
    if (!line) return {.result = std::move(line).error()};
    auto channel = std::make_unique<LineChannel>(std::move(line).value(), peer_, clock_, options_);
    const auto connected = channel->connect(url, proxy_);
    remember(channel->verdict(), listener);
    if (connected) return {.result = std::unique_ptr<Channel>(std::move(channel))};
    return {.result = connected.error(), .may_repeat = channel->may_repeat(connected.error())};
  };
  return repeated(options_.retries, try_dial);
}

std::shared_ptr<const Verdict> Connection::last_verdict() const {
  const std::lock_guard lock(mutex_);
  return verdict_;
}

Connection::TriedAnswer Connection::try_open(const Message& message, const ClientOptions& limits,
                                             const VerdictListener& listener,
                                             Result<std::unique_ptr<Line>> line) {
  if (!line) return {.result = std::move(line).error()};
  if (wants_session_evidence() && !(*line)->attested()) {
    auto attested = attest(**line, message.url, limits, listener);
    if (!attested.result) {
      return {.result = attested.result.error(), .may_repeat = attested.may_repeat};
    }
  }
  auto answer = std::make_unique<Answer>();
  answer->message = message;
  answer->options = limits;
  answer->line = std::move(line).value();
  Attempt& attempt = answer->attempt.emplace(*answer->line, peer_, clock_, answer->options);
  const auto opened = attempt.open(answer->message, proxy_);
  remember(attempt.verdict(), listener);
  if (opened) return {.result = std::move(answer)};
  return {.result = opened.error(),
          .may_repeat = attempt.may_repeat(opened.error()),
          .expired = attempt.expired()};
}

Result<std::unique_ptr<Line>> Connection::take_line() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Line> line = std::move(idle_.back());
      idle_.pop_back();
      return line;
    }
  }
  return Line::open();
}

void Connection::remember(const std::shared_ptr<const Verdict>& verdict,
                          const VerdictListener& listener) {
  if (verdict == nullptr) return;
  if (listener) listener(verdict);
  const std::lock_guard lock(mutex_);
  verdict_ = verdict;
}

}  // namespace ratls::client
