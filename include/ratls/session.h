// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ratls/bytes.h"
#include "ratls/time.h"

namespace ratls {

/// SessionNonce is a client's challenge: random, and new for each question.
using SessionNonce = FixedBytes<32, struct SessionNonceTag>;

/// SessionExporter is what TLS 1.3 derives from a connection's handshake and a nonce (RFC 8446 7.5,
/// docs/session-evidence.md): both ends of one connection know it, and no two connections have the
/// same.
using SessionExporter = FixedBytes<32, struct SessionExporterTag>;

/// SessionBinding is all that session evidence is bound to.
struct SessionBinding {
  Bytes spki_der;        ///< SubjectPublicKeyInfo of the certificate that the connection has seen
  UnixTime not_after{};  ///< the certificate's end
  SessionExporter exporter;
};

}  // namespace ratls
