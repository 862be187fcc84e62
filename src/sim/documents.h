// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/pki.h"
#include "tcb/qe_identity.h"
#include "tcb/tcb_info.h"

namespace ratls::sim {

/// format_tcb_info writes the text that Intel signs (PCS API v4, member tcbInfo): compact, members
/// in Intel's order, hex in upper case. content.version 2 gives Intel's older form. Nothing is
/// checked: contents that no parser accepts are written too.
std::string format_tcb_info(const tcb::TcbInfo& content);

/// format_qe_identity does the same for the member enclaveIdentity.
std::string format_qe_identity(const tcb::QeIdentity& content);

/// TcbInfoDraft is TCB info that is still to be signed.
struct TcbInfoDraft {
  tcb::TcbInfo content;
  std::optional<std::string> text;  ///< signed in place of the content's
  Key signer;
};

/// QeIdentityDraft is a QE identity that is still to be signed.
struct QeIdentityDraft {
  tcb::QeIdentity content;
  std::optional<std::string> text;  ///< signed in place of the content's
  Key signer;
};

/// SignedDocument is a text and the raw ECDSA signature over exactly its bytes.
struct SignedDocument {
  std::string text;
  Bytes signature;  ///< r and s, 64 bytes
};

/// sign gives the text with its signature. Errors: internal.
Result<SignedDocument> sign(const TcbInfoDraft& draft);
Result<SignedDocument> sign(const QeIdentityDraft& draft);

}  // namespace ratls::sim
