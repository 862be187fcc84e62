// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "ratls/quote.h"
#include "ratls/session.h"
#include "ratls/time.h"
#include "x509/certificate.h"

namespace ratls::evidence {

/// The OID contents of the two extensions.
BytesView dice_oid();            ///< TCG DICE tagged evidence, 2.23.133.5.4.9
BytesView gramine_legacy_oid();  ///< as Gramine writes it: content 06 09 2A 86 48 86 F8 4D 8A 39 06
BytesView intel_legacy_oid();    ///< as it was meant, 1.2.840.113741.1337.6; read, never written
BytesView endorsements_oid();    ///< tcg-dice-endorsement-manifest, 2.23.133.5.4.2

enum class Format { dice, gramine_legacy };
std::string_view to_string(Format format) noexcept;  // "dice", "gramine-legacy"

/// Claims is the DICE claims map, strictly read: definite lengths, text keys, none twice, exactly
/// one pubkey-hash with algorithm 1, 7 or 8 (SHA-256, SHA-384, SHA-512). Unknown claims are kept
/// out.
struct Claims {
  unsigned hash_algorithm = 0;
  Bytes pubkey_hash;                            ///< 32, 48 or 64 bytes
  std::optional<UnixTime> not_after;            ///< "ratls-not-after"
  std::optional<SessionExporter> session = {};  ///< "ratls-session"; never in a certificate
};

/// Evidence is what a certificate carries, parsed; nothing in it is verified.
struct Evidence {
  Format format = Format::dice;       ///< which one decides: dice when it is there
  Quote quote;                        ///< of the deciding format
  Bytes claims_bytes;                 ///< dice only
  std::optional<Claims> claims;       ///< dice only
  std::optional<Quote> legacy_quote;  ///< when both are there: the one that does not decide
};

/// read_evidence walks the extensions of a certificate. Errors: evidence_missing,
/// evidence_malformed, evidence_duplicate (an OID twice, or both legacy forms), and those of
/// parse_quote.
Result<Evidence> read_evidence(const x509::Certificate& certificate);

/// read_session_evidence reads DICE evidence that was made for one TLS session
/// (docs/session-evidence.md): the value that the extension would have, with the session in its
/// claims. Errors: evidence_malformed and those of parse_quote.
Result<Evidence> read_session_evidence(BytesView value);

/// find_endorsements gives the value of the extension with collateral, not yet read; null when
/// there is none. Errors: evidence_duplicate.
Result<std::shared_ptr<const Bytes>> find_endorsements(const x509::Certificate& certificate);

/// check_binding proves that the quote vouches for the certificate's key: DICE: SHA-256(claims) is
/// report_data[0..31] and pubkey-hash is that of the SubjectPublicKeyInfo; legacy: SHA-256(SPKI) is
/// report_data[0..31]; both: report_data[32..63] is zero. The key must be P-256, P-384 or RSA of
/// 3072 bits or more. With both formats the legacy quote must bind the same key and carry the same
/// report apart from report_data.
/// Errors: key_unsupported, certificate_unbound, evidence_conflict.
Result<void> check_binding(const Evidence& evidence, const x509::Certificate& certificate);

/// check_session proves that session evidence was made for this session and for the certificate's
/// key, and, for SGX, that its report is that of the certificate's quote apart from report_data.
/// Errors: as check_binding; evidence_not_fresh for another session.
Result<void> check_session(const Evidence& session, const Evidence& certificates,
                           const x509::Certificate& certificate, const SessionExporter& exporter);

/// parse_dice reads the value of the DICE extension: CBOR tag 60000 over [quote, claims] and
/// nothing after it. The views point into value. Errors: evidence_malformed.
struct DiceParts {
  BytesView quote;
  BytesView claims;
};
Result<DiceParts> parse_dice(BytesView value);
/// parse_claims reads the claims map. Errors: evidence_malformed.
Result<Claims> parse_claims(BytesView claims);

/// write_claims writes {"pubkey-hash": [1, SHA-256(SPKI)], "ratls-not-after": seconds} and, for a
/// session, "ratls-session": exporter; all values as CBOR bytes.
Bytes write_claims(BytesView spki_der, UnixTime not_after,
                   const std::optional<SessionExporter>& session = std::nullopt);
/// report_data_for is SHA-256 of the bytes (claims, or SPKI for the legacy format) and 32 zeros.
ReportData report_data_for(BytesView bytes);
/// write_dice writes the value of the DICE extension.
Bytes write_dice(BytesView quote, BytesView claims);

}  // namespace ratls::evidence
