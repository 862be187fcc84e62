// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/post.hpp>

#include "server/connection.h"
#include "server/session_evidence.h"

// The part of Connection that answers a client who asks for evidence of its own session: nothing
// else is served on the connection until it is made.
namespace ratls::server {
namespace {

/// nonce_of reads the query, which has nothing but the nonce.
std::optional<SessionNonce> nonce_of(const Request& request) {
  const std::string_view target = request.target;
  const std::size_t query = target.find("?nonce=");
  if (query == target.npos) return std::nullopt;
  const auto nonce = parse_fixed_hex<SessionNonce>(target.substr(query + 7), "nonce");
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
  const unsigned number = ++session_number_;
  const auto done = [weak = weak_from_this(), number,
                     &context = worker_.context()](Result<Bytes> made) {
    boost::asio::post(context, [weak, number, made = std::move(made)] {
      const auto self = weak.lock();
      if (self && self->session_number_ == number) self->end_session_evidence(response_of(made));
    });
  };
  if (evidence->make(std::move(*binding), done)) {
    phase_ = Phase::attesting;
    deadline_ = worker_.deadline_after(worker_.options().upstream_timeout);
    return true;
  }
  Response busy = http::refusal_response({503, "Too many clients wait for evidence."});
  busy.headers.emplace_back("Retry-After", "1");
  answer(std::move(busy), persistence(), true);
  end_request();
  return true;
}

void Connection::end_session_evidence(Response response) {
  if (phase_ != Phase::attesting) return;
  ++session_number_;  // what comes later is not for anybody
  answer(std::move(response), persistence(), true);
  end_request();
  more_in_pending_ = !pending_.empty();
  phase_ = Phase::writing;
  deadline_ = worker_.deadline_after(worker_.options().write_timeout);
  resume();
}

}  // namespace ratls::server
