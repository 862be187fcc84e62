// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ratls/attester.h"
#include "ratls/verifier.h"

struct ssl_st;
struct ssl_ctx_st;

namespace ratls {

/// AttestedSession is the proof that the peer of one TLS connection passed a policy and holds the
/// attested key. Only PeerVerifier makes one, of an accepted verdict and a complete handshake.
/// Thread-safety: immutable.
class AttestedSession {
 public:
  const VerifiedQuote& peer() const noexcept { return *verdict_->result; }

 private:
  friend class PeerVerifier;
  explicit AttestedSession(std::shared_ptr<const Verdict> accepted)
      : verdict_(std::move(accepted)) {}
  std::shared_ptr<const Verdict> verdict_;
};

/// VerdictListener is told of a verdict within the handshake, accepted or not. An accepted one
/// proves nothing yet: the peer has still to show that it holds the key.
using VerdictListener = std::function<void(const std::shared_ptr<const Verdict>&)>;

/// SessionChallenge is a client's question for evidence of one session (docs/session-evidence.md).
/// Thread-safety: one thread at a time.
class SessionChallenge {
 public:
  /// create takes a new nonce. Errors: internal.
  static Result<SessionChallenge> create();
  /// kPath and query are what the client asks the server for, with GET.
  static constexpr const char* kPath = "/.well-known/ratls/session-evidence";
  std::string query() const;  ///< with its question mark
  /// bind says which connection the question goes to, before it does; a later one takes the place
  /// of an earlier. Errors: evidence_not_fresh below TLS 1.3; internal when the connection is not
  /// one whose certificate PeerVerifier has accepted.
  Result<void> bind(ssl_st* ssl);

  struct Met;  // src/tls/peer_verifier.cpp

 private:
  friend class PeerVerifier;
  SessionNonce nonce_{};
  std::optional<SessionExporter> exporter_;
  std::shared_ptr<Met> met_;  // null: bound to none
};

/// AsksForSession says whether the caller asks for evidence of the session on each connection
/// before using it. Where nobody does, a policy that demands it refuses within the handshake.
enum class AsksForSession { no, yes };

/// PeerVerifier puts a verifier's verdict inside TLS handshakes of a client: the handshake fails
/// with an alert unless the server's certificate is accepted, before any application data. Where
/// the policy demands fresh evidence, a caller who says that it asks for it gets through the
/// handshake, but session_of gives nothing until the answer to a SessionChallenge was judged.
/// Thread-safety: any thread.
class PeerVerifier {
 public:
  /// source is asked within the handshake. host is the name or address that connections ask for
  /// (CertificateContext::host). clock is for tests; by default the machine's.
  PeerVerifier(Verifier verifier, std::shared_ptr<CollateralSource> source, std::string host,
               std::function<UnixTime()> clock = system_now);

  const Verifier& verifier() const noexcept;

  /// install sets a client context: SSL_VERIFY_PEER with our callback, TLS 1.2 or later with ECDHE
  /// and AEAD only, no session cache, no tickets, no renegotiation, no key log. The context may
  /// outlive this object. The listener runs on the thread of the handshake.
  /// Errors: internal.
  Result<void> install(ssl_ctx_st* context, VerdictListener listener = nullptr,
                       AsksForSession asks = AsksForSession::no) const;

  /// judge_session judges the server's answer to a challenge that is bound; from then on the
  /// verdict is the connection's. Blocks: as the collateral source does.
  std::shared_ptr<const Verdict> judge_session(const SessionChallenge& challenge,
                                               BytesView answer) const;
  /// refuse_session is the same for a server that has no answer.
  std::shared_ptr<const Verdict> refuse_session(const SessionChallenge& challenge,
                                                std::string detail) const;

  /// verdict_of gives the verdict of a connection whose handshake ran with this context, accepted
  /// or not: that on its session once there is one; null when no certificate was judged.
  static std::shared_ptr<const Verdict> verdict_of(const ssl_st* ssl);

  /// session_of gives the proof for a connection: null unless its own handshake is complete, was
  /// not resumed, its certificate was accepted and, where the policy demands it, its fresh evidence
  /// too.
  static std::shared_ptr<const AttestedSession> session_of(const ssl_st* ssl);
  /// session_of gives the proof for the connection that a challenge is bound to, once its answer
  /// was accepted.
  static std::shared_ptr<const AttestedSession> session_of(const SessionChallenge& challenge);

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// TlsVersion is the lowest version that a server accepts.
enum class TlsVersion { tls12, tls13 };

/// ServerTls is a server's TLS side: it holds the attested certificate in memory and can exchange
/// it while connections go on. Thread-safety: any thread.
class ServerTls {
 public:
  static Result<ServerTls> create(const AttestedCertificate& certificate,
                                  TlsVersion lowest = TlsVersion::tls13);
  ServerTls(ServerTls&&) noexcept;
  ServerTls& operator=(ServerTls&&) noexcept;
  ~ServerTls();

  /// replace uses another certificate for connections that start from now on.
  Result<void> replace(const AttestedCertificate& certificate);
  /// new_connection gives a server-side SSL object, which the caller frees; never null.
  ssl_st* new_connection() const;

 private:
  struct State;
  explicit ServerTls(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// last_openssl_error takes OpenSSL's error queue of this thread as one line.
std::string last_openssl_error();

}  // namespace ratls
