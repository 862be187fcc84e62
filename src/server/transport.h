// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ratls/session.h"
#include "ratls/tls.h"
#include "server/metrics.h"

namespace ratls::server {

/// Transport moves bytes over one non-blocking socket, with TLS or without. The socket is the
/// caller's. Thread-safety: none.
class Transport {
 public:
  /// Outcome says what came of a call, or what it waits for.
  enum class Outcome {
    done,
    wait_read,
    wait_write,
    ended,  ///< the client will send nothing more
    failed  ///< nothing more may be sent
  };

  virtual ~Transport() = default;

  /// start takes the socket; false when there is no memory for it.
  virtual bool start(int socket) = 0;
  virtual Outcome handshake() = 0;
  /// handshake_failure says why a handshake has ended or failed, right after it has.
  virtual HandshakeFailure handshake_failure() const = 0;
  /// session is what evidence for this session is bound to; nothing without TLS 1.3.
  virtual std::optional<SessionBinding> session(const SessionNonce& nonce) = 0;
  /// read gives at least one byte when it is done.
  virtual Outcome read(std::span<char> buffer, std::size_t& size) = 0;
  /// write takes a part of data or all of it.
  virtual Outcome write(std::string_view data, std::size_t& size) = 0;
  /// has_pending says whether bytes lie in a buffer that the socket says nothing of.
  virtual bool has_pending() const = 0;
  /// end tells the client that nothing more follows, if there is room for it.
  virtual void end() = 0;
};

/// tls_transport is OpenSSL on the socket itself; plain_transport is the socket.
std::unique_ptr<Transport> tls_transport(const ServerTls& tls);
std::unique_ptr<Transport> plain_transport();

}  // namespace ratls::server
