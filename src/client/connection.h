// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "client/easy.h"
#include "client/message.h"
#include "client/repeat.h"

namespace ratls::client {

/// Connection talks to one origin under one policy and keeps at most one TLS connection, no longer
/// than its verdict lasts. Thread-safety: one call at a time; last_verdict from any thread.
class Connection {
 public:
  /// clock is the one that the peer's verdicts were made with.
  Connection(PeerVerifier peer, ClientOptions options, Proxy proxy, std::function<UnixTime()> clock)
      : peer_(std::move(peer)),
        options_(std::move(options)),
        proxy_(std::move(proxy)),
        clock_(std::move(clock)) {}

  /// send sends the message, repeats it after connection errors and follows redirects. Blocks.
  Result<ClientResponse> send(Message message, const BodySink& sink);

  /// connect makes a handshake on a connection of its own and closes it. Blocks.
  Result<std::shared_ptr<const AttestedSession>> connect(const Url& url);

  std::shared_ptr<const Verdict> last_verdict() const;

 private:
  Tried<ClientResponse> try_send(const Message& message, const BodySink& sink);
  Tried<std::shared_ptr<const AttestedSession>> try_connect(const Url& url);
  void remember(const std::shared_ptr<const Verdict>& verdict);

  PeerVerifier peer_;
  ClientOptions options_;
  Proxy proxy_;
  std::function<UnixTime()> clock_;
  Easy easy_;
  mutable std::mutex verdict_mutex_;
  std::shared_ptr<const Verdict> verdict_;
};

}  // namespace ratls::client
