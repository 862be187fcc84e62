// SPDX-License-Identifier: Apache-2.0
#include "client/attempt.h"

// The part of Attempt that asks a server for evidence of the session, in place of a user's request.
namespace ratls::client {
namespace {

// A quote with its certificates takes some 5 KB.
constexpr std::size_t kMaxEvidence = 64 * 1024;

}  // namespace

Result<std::shared_ptr<const AttestedSession>> Attempt::ask_session(const Url& url,
                                                                    const Proxy& proxy) {
  RATLS_CHECK(make_question(url));
  const Result<void> opened = open(*question_, proxy);
  if (!opened) return without_session(opened.error());
  const Result<Bytes> answer = read_evidence();
  if (!answer) return without_session(answer.error());
  RATLS_CHECK(judge(head_.status(), *answer));
  line_.set_attested();
  return session_;
}

Result<void> Attempt::connect_to_ask(const Url& url, const Proxy& proxy) {
  RATLS_CHECK(make_question(url));
  const Result<void> shaken = shake_hands(url, proxy);
  if (!shaken) return without_session(shaken.error());
  return {};
}

Result<void> Attempt::make_question(const Url& url) {
  RATLS_TRY(challenge_, SessionChallenge::create());
  question_.emplace(Message{.url = url, .method = "GET", .headers = {}, .body = ""});
  question_->url.path = SessionChallenge::kPath;
  question_->url.query = challenge_->query();
  return {};
}

// One byte more than may be there tells that it is too much.
Result<Bytes> Attempt::read_evidence() {
  Bytes answer;
  Bytes part(kMaxEvidence);
  while (answer.size() <= kMaxEvidence) {
    RATLS_TRY(const std::size_t size, read(part));
    if (size == 0) break;
    answer.insert(answer.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return answer;
}

Result<std::shared_ptr<const AttestedSession>> Attempt::judge(int status, BytesView answer) {
  if (status == 503) {
    return without_session(
        Error(Code::quote_unavailable, place_, "the server can make no evidence now"));
  }
  if (status != 200) {
    heard_->verdict = peer_.refuse_session(
        *challenge_, "the server has no evidence for it: it answers " + std::to_string(status));
  } else if (answer.size() > kMaxEvidence) {
    heard_->verdict = peer_.refuse_session(*challenge_, "the answer is larger than 64 KiB");
  } else {
    heard_->verdict = peer_.judge_session(*challenge_, answer, options_.on_step);
  }
  if (!heard_->verdict->accepted()) return heard_->verdict->result.error();
  session_ = PeerVerifier::session_of(*challenge_);
  return session_;
}

// The verdict of the handshake alone is none on the session. A connection that cannot have evidence
// of its own is one that the policy refuses.
Error Attempt::without_session(const Error& error) {
  if (error.code() == Code::evidence_not_fresh) {
    heard_->verdict = peer_.refuse_session(*challenge_, error.detail());
  } else if (phase_ == Phase::exchanging) {
    heard_->verdict = nullptr;
  }
  return error;
}

}  // namespace ratls::client
