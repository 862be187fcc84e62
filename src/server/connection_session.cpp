// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <algorithm>

#include "server/connection.h"
#include "server/session_evidence.h"

// The part of Connection that answers a client who asks for evidence of its own session: nothing
// else is served on the connection until it is made.
namespace ratls::server {
namespace {

/// nonce_of reads the query, which has nothing but the nonce.
std::optional<SessionNonce> nonce_of(const Request& request) {
  constexpr std::string_view kBegin = "?nonce=";
  const std::string_view target = request.target;
  const std::string_view query = target.substr(std::min(target.find('?'), target.size()));
  if (!query.starts_with(kBegin)) return std::nullopt;
  const auto nonce = parse_fixed_hex<SessionNonce>(query.substr(kBegin.size()), "nonce");
  if (!nonce) return std::nullopt;
  return *nonce;
}

Response response_of(const Result<Bytes>& made) {
  if (!made) return http::refusal_response({503, "The evidence could not be made."});
  Response response;
  response.headers = {{"Content-Type", "application/cbor"}, {"Cache-Control", "no-store"}};
  response.body.assign(made->begin(), made->end());
  return response;
}

}  // namespace

/// begin_session_evidence is false for a request that asks for no such thing, or that cannot be
/// answered with it.
bool Connection::begin_session_evidence(const Request& request) {
  SessionEvidence* const evidence = worker_.service().session_evidence;
  if (evidence == nullptr || request.method != "GET" || request.path != SessionChallenge::kPath) {
    return false;
  }
  const auto nonce = nonce_of(request);
  if (!nonce) return false;
  auto binding = transport_->session(*nonce);
  if (!binding) return false;
  session_question_ = std::make_shared<bool>();
  const std::weak_ptr<const void> question = session_question_;
  const auto done = [question, weak = weak_from_this(),
                     &loop = worker_.loop()](Result<Bytes> made) {
    loop.post([question, weak, made = std::move(made)] {
      const auto self = weak.lock();
      if (self && !question.expired()) self->end_session_evidence(response_of(made));
    });
  };
  if (evidence->make(std::move(*binding), question, done)) {
    phase_ = Phase::attesting;
    deadline_ = worker_.deadline_after(worker_.options().upstream_timeout);
    return true;
  }
  Response busy = http::refusal_response({503, "Too many clients wait for evidence."});
  busy.headers.emplace_back("Retry-After", "1");
  answer_session(std::move(busy));
  return true;
}

/// answer_session leaves a client that has asked for nothing else yet as new as it was: its first
/// request is still to come.
void Connection::answer_session(Response response) {
  session_question_.reset();
  answer(std::move(response), persistence(is_to_end()), true);
  const bool was_new = is_new_;
  end_request();
  is_new_ = was_new;
}

void Connection::end_session_evidence(Response response) {
  answer_session(std::move(response));
  deadline_passed_ = false;
  more_in_pending_ = !pending_.empty();
  phase_ = Phase::writing;
  deadline_ = worker_.deadline_after(worker_.options().write_timeout);
  resume();
}

/// leave_if_client_has closes when nobody waits for the evidence any more.
void Connection::leave_if_client_has() {
  pollfd state{socket_.get(), POLLRDHUP, 0};
  if (::poll(&state, 1, 0) > 0) close();
}

}  // namespace ratls::server
