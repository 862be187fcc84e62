// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "ratls/session.h"

struct ssl_st;

// What evidence for a session is bound to, as both ends find it (docs/session-evidence.md).
namespace ratls::tls {

/// export_session derives the exporter of a connection for a nonce, which is the context
/// (RFC 8446 7.5). Nothing unless its handshake is a complete one of TLS 1.3: in TLS 1.2 two
/// connections can be made to share their secrets (RFC 7627 1). Thread-safety: the connection's.
std::optional<SessionExporter> export_session(ssl_st* ssl, const SessionNonce& nonce);

/// bind_session gives all of it for a server's connection, with the certificate that it has shown.
/// Nothing where export_session gives none. Thread-safety: the connection's.
std::optional<SessionBinding> bind_session(ssl_st* ssl, const SessionNonce& nonce);

}  // namespace ratls::tls
