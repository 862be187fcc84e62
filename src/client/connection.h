// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "client/attempt.h"
#include "client/message.h"
#include "client/repeat.h"
#include "ratls/channel.h"

namespace ratls::client {

/// Answer is an answer while it arrives, with all that its transfer needs. Its members point to one
/// another, so it stays where it is made. Thread-safety: one thread at a time.
struct Answer {
  Message message;
  ClientOptions options;
  std::unique_ptr<Line> line;
  std::optional<Attempt> attempt;  // ends before the line
};

/// Connection talks to one origin under one policy. It keeps a few TLS connections that are idle,
/// none longer than its verdict lasts. Thread-safety: any thread; each call has a connection of its
/// own.
class Connection {
 public:
  /// clock is the one that the peer's verdicts were made with.
  Connection(PeerVerifier peer, ClientOptions options, Proxy proxy, std::function<UnixTime()> clock)
      : peer_(std::move(peer)),
        options_(std::move(options)),
        proxy_(std::move(proxy)),
        clock_(std::move(clock)) {}

  /// send sends the message, repeats it after connection errors, follows redirects and takes the
  /// whole answer. limits are the client's options, with other time limits perhaps. Blocks.
  /// The listener, which may be empty, is told of each handshake's verdict.
  Result<ClientResponse> send(Message message, const ClientOptions& limits, const BodySink& sink,
                              const VerdictListener& listener = nullptr);
  Result<ClientResponse> send(Message message, const BodySink& sink) {
    return send(std::move(message), options_, sink);
  }

  /// open does the same up to the head of the answer. The answer must end before this object, and
  /// is given to close when it has been read to its end. Blocks.
  Result<std::unique_ptr<Answer>> open(Message message, const ClientOptions& limits,
                                       const VerdictListener& listener);
  void close(std::unique_ptr<Answer> answer);

  /// connect makes a session on a connection of its own and closes it. Blocks.
  Result<std::shared_ptr<const AttestedSession>> connect(const Url& url,
                                                         const VerdictListener& listener = nullptr);
  /// dial makes a connection of its own and gives it away. Blocks.
  /// demands fresh evidence.
  Result<std::unique_ptr<Channel>> dial(const Url& url, const VerdictListener& listener = nullptr);

  std::shared_ptr<const Verdict> last_verdict() const;
  const ClientOptions& options() const noexcept { return options_; }

 private:
  using TriedAnswer = Tried<std::unique_ptr<Answer>>;
  TriedAnswer try_open(const Message& message, const ClientOptions& limits,
                       const VerdictListener& listener, Result<std::unique_ptr<Line>> line);
  using TriedSession = Tried<std::shared_ptr<const AttestedSession>>;
  TriedSession attest(Line& line, const Url& url, const ClientOptions& limits,
                      const VerdictListener& listener);
  bool wants_session_evidence() const { return peer_.verifier().policy().session.fresh; }
  Result<std::unique_ptr<Line>> take_line();
  void remember(const std::shared_ptr<const Verdict>& verdict, const VerdictListener& listener);

  const PeerVerifier peer_;
  const ClientOptions options_;
  const Proxy proxy_;
  const std::function<UnixTime()> clock_;
  mutable std::mutex mutex_;  // for the members below
  std::vector<std::unique_ptr<Line>> idle_;
  std::shared_ptr<const Verdict> verdict_;
};

}  // namespace ratls::client
