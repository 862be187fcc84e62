// SPDX-License-Identifier: Apache-2.0
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "crypto/crypto.h"
#include "crypto/openssl_objects.h"
#include "ratls/tls.h"
#include "tls/certificate_der.h"
#include "tls/openssl_setup.h"
#include "tls/session_binding.h"

namespace ratls {

struct PeerVerifier::State {
  Verifier verifier;
  std::shared_ptr<CollateralSource> source;
  std::string host;
  std::function<UnixTime()> clock;

  CertificateContext context(AsksForSession asks) const {
    return {.proves = Proves::session,
            .host = host,
            .session_evidence_follows = asks == AsksForSession::yes};
  }
};

// Met is what one connection keeps of its handshake, and of the evidence for its session.
struct SessionChallenge::Met {
  Bytes certificate;
  std::shared_ptr<const Verdict> verdict;
  bool wants_session_evidence;
  std::shared_ptr<const Verdict> session_verdict = nullptr;

  const std::shared_ptr<const Verdict>& deciding() const {
    return wants_session_evidence ? session_verdict : verdict;
  }
};

namespace {

using Met = SessionChallenge::Met;
using SharedMet = std::shared_ptr<Met>;

// Judge is how the connections of one context are judged.
using Judge = std::function<Met(Bytes der)>;

template <class T>
void free_attached(void*, void* attached, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<T*>(attached);
}

// SSL_dup would copy the pointer: two owners, and a verdict for a handshake that never was.
int forget_attached(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** attached, int, long, void*) {
  *attached = nullptr;
  return 1;
}

int met_index() {
  static const int kIndex =
      SSL_get_ex_new_index(0, nullptr, nullptr, forget_attached, free_attached<SharedMet>);
  return kIndex;
}

int judge_index() {
  static const int kIndex =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, forget_attached, free_attached<Judge>);
  return kIndex;
}

// Null when no certificate was judged on it.
SharedMet met_of(const SSL* ssl) {
  if (ssl == nullptr || met_index() < 0) return nullptr;
  const auto* met = static_cast<const SharedMet*>(SSL_get_ex_data(ssl, met_index()));
  return met == nullptr ? nullptr : *met;
}

// False when there was no room for it; the connection may not go on then.
bool attach(SSL* ssl, std::unique_ptr<SharedMet> met) {
  const auto* before = static_cast<const SharedMet*>(SSL_get_ex_data(ssl, met_index()));
  SharedMet* after = met.release();
  const bool attached = SSL_set_ex_data(ssl, met_index(), after) == 1;
  delete (attached ? before : after);
  return attached;
}

bool judge_peer(X509_STORE_CTX* store, const Judge& judge) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (ssl == nullptr || leaf == nullptr || !attach(ssl, nullptr)) return false;
  Bytes der = tls::der_of(leaf);
  if (der.empty()) return false;
  auto met = std::make_unique<SharedMet>(std::make_shared<Met>(judge(std::move(der))));
  const bool accepted = (*met)->verdict->accepted();
  return attach(ssl, std::move(met)) && accepted;
}

// Takes the place of OpenSSL's own chain verification: the verdict is ours alone.
int verify_callback(X509_STORE_CTX* store, void* judge) {
  const crypto::ErrorMark mark;
  bool accepted = false;
  try {
    accepted = judge_peer(store, *static_cast<const Judge*>(judge));
  } catch (...) {  // no exception may pass through OpenSSL's C code
    accepted = false;
  }
  X509_STORE_CTX_set_error(store, accepted ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
  return accepted ? 1 : 0;
}

constexpr std::uint64_t kOptions =
    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
// A missing close_notify would make a truncated answer look complete (RFC 8446 6.1), and a server
// without RFC 5746 could be renegotiated by somebody else.
constexpr std::uint64_t kForbiddenOptions = SSL_OP_IGNORE_UNEXPECTED_EOF |
                                            SSL_OP_LEGACY_SERVER_CONNECT |
                                            SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION;

bool set_protocol(SSL_CTX* context) {
  SSL_CTX_set_options(context, kOptions);
  SSL_CTX_clear_options(context, kForbiddenOptions);
  SSL_CTX_set_security_level(context, 2);
  // A resumed session would skip the certificate, and with it the verdict.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_sess_set_new_cb(context, nullptr);
  SSL_CTX_set_post_handshake_auth(context, 0);
  // libcurl has set one when SSLKEYLOGFILE is there; an environment may not give keys away.
  SSL_CTX_set_keylog_callback(context, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, 0) == 1 &&
         SSL_CTX_set_ciphersuites(context, tls::kTls13Ciphers) == 1 &&
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1;
}

// Only the server's Finished shows that it holds the key; a resumption never showed a certificate.
bool is_complete(const SSL* ssl, const Met& met) {
  if (SSL_is_init_finished(ssl) != 1 || SSL_session_reused(ssl) != 0) return false;
  const X509* peer = SSL_get0_peer_certificate(ssl);
  return peer != nullptr && tls::der_of(peer) == met.certificate;
}

}  // namespace

Result<SessionChallenge> SessionChallenge::create() {
  SessionChallenge challenge;
  RATLS_CHECK(crypto::fill_random(challenge.nonce_.bytes));
  return challenge;
}

std::string SessionChallenge::query() const { return "?nonce=" + to_hex(nonce_); }

Result<void> SessionChallenge::bind(ssl_st* ssl) {
  met_ = nullptr;
  exporter_.reset();
  SharedMet met = met_of(ssl);
  if (met == nullptr || !met->verdict->accepted() || !is_complete(ssl, *met)) {
    return Error(Code::internal, "session", "no accepted certificate on this connection");
  }
  met_ = std::move(met);
  exporter_ = tls::export_session(ssl, nonce_);
  if (exporter_) return {};
  return Error(Code::evidence_not_fresh, "session", "a session of TLS 1.2 can have none");
}

PeerVerifier::PeerVerifier(Verifier verifier, std::shared_ptr<CollateralSource> source,
                           std::string host, std::function<UnixTime()> clock)
    : state_(std::make_shared<const State>(
          State{std::move(verifier), std::move(source), std::move(host), std::move(clock)})) {}

const Verifier& PeerVerifier::verifier() const noexcept { return state_->verifier; }

Result<void> PeerVerifier::install(ssl_ctx_st* context, VerdictListener listener,
                                   AsksForSession asks, StepListener on_step) const {
  if (context == nullptr || state_->source == nullptr || !state_->clock || judge_index() < 0 ||
      met_index() < 0) {
    return Error(Code::internal, "tls context", "no context, collateral source, clock or index");
  }
  if (SSL_CTX_get_ex_data(context, judge_index()) != nullptr) {
    return Error(Code::internal, "tls context", "it has a verifier already");
  }
  if (!set_protocol(context)) return Error(Code::internal, "tls context", last_openssl_error());
  auto judge = std::make_unique<Judge>([state = state_, listener = std::move(listener), asks,
                                        on_step = std::move(on_step)](Bytes der) {
    auto verdict = std::make_shared<const Verdict>(state->verifier.verify_certificate(
        der, state->context(asks), *state->source, state->clock(), on_step));
    if (listener) listener(verdict);
    return Met{std::move(der), std::move(verdict), state->verifier.policy().session.fresh};
  });
  if (SSL_CTX_set_ex_data(context, judge_index(), judge.get()) != 1) {
    return Error(Code::internal, "tls context", last_openssl_error());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_callback, judge.release());
  return {};
}

std::shared_ptr<const Verdict> PeerVerifier::verdict_of(const ssl_st* ssl) {
  const SharedMet met = met_of(ssl);
  if (met == nullptr) return nullptr;
  return met->session_verdict != nullptr ? met->session_verdict : met->verdict;
}

std::shared_ptr<const AttestedSession> PeerVerifier::session_of(const ssl_st* ssl) {
  const SharedMet met = met_of(ssl);
  if (met == nullptr || !met->verdict->accepted()) return nullptr;
  const auto& verdict = met->deciding();
  if (verdict == nullptr || !verdict->accepted() || !is_complete(ssl, *met)) return nullptr;
  return std::shared_ptr<const AttestedSession>(new AttestedSession(verdict));
}

std::shared_ptr<const AttestedSession> PeerVerifier::session_of(const SessionChallenge& challenge) {
  const Met* met = challenge.met_.get();
  if (met == nullptr || met->session_verdict == nullptr || !met->session_verdict->accepted()) {
    return nullptr;
  }
  return std::shared_ptr<const AttestedSession>(new AttestedSession(met->session_verdict));
}

std::shared_ptr<const Verdict> PeerVerifier::judge_session(const SessionChallenge& challenge,
                                                           BytesView answer,
                                                           const StepListener& on_step) const {
  if (challenge.met_ == nullptr || !challenge.exporter_) {
    return refuse_session(challenge, "the challenge is bound to no session");
  }
  Met& met = *challenge.met_;
  met.session_verdict = std::make_shared<const Verdict>(state_->verifier.verify_session(
      met.certificate, state_->context(AsksForSession::yes), answer, *challenge.exporter_,
      *state_->source, state_->clock(), on_step));
  return met.session_verdict;
}

std::shared_ptr<const Verdict> PeerVerifier::refuse_session(const SessionChallenge& challenge,
                                                            std::string detail) const {
  Report report;
  if (challenge.met_ != nullptr) report = challenge.met_->verdict->report;
  auto verdict = std::make_shared<const Verdict>(
      Verdict{std::move(report), Error(Code::evidence_not_fresh, "session", std::move(detail))});
  if (challenge.met_ != nullptr) challenge.met_->session_verdict = verdict;
  return verdict;
}

}  // namespace ratls
