// SPDX-License-Identifier: Apache-2.0
#include "evidence/evidence.h"

#include <array>
#include <utility>

#include "crypto/crypto.h"

namespace ratls::evidence {
namespace {

constexpr std::array<std::uint8_t, 6> kDiceOid = {0x67, 0x81, 0x05, 0x05, 0x04, 0x09};
// Gramine puts a whole OBJECT IDENTIFIER, tag and length included, where the content belongs.
constexpr std::array<std::uint8_t, 11> kGramineLegacyOid = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                            0xF8, 0x4D, 0x8A, 0x39, 0x06};
constexpr std::array<std::uint8_t, 9> kIntelLegacyOid = {0x2A, 0x86, 0x48, 0x86, 0xF8,
                                                         0x4D, 0x8A, 0x39, 0x06};

constexpr std::array<std::uint8_t, 6> kEndorsementsOid = {0x67, 0x81, 0x05, 0x05, 0x04, 0x02};

constexpr std::size_t kMinRsaBits = 3072;

// The value of the only extension with this OID; null when there is none.
Result<const Bytes*> find_once(const x509::Certificate& certificate, BytesView oid,
                               std::string_view name) {
  const std::vector<const x509::Extension*> found = certificate.find(oid);
  if (found.empty()) return static_cast<const Bytes*>(nullptr);
  if (found.size() > 1) {
    return Error(Code::evidence_duplicate, std::string(name),
                 "the extension is there " + std::to_string(found.size()) + " times");
  }
  return &found.front()->value;
}

// The value of the legacy extension in either of its forms; null when there is none.
Result<const Bytes*> find_legacy(const x509::Certificate& certificate) {
  RATLS_TRY(const Bytes* gramine, find_once(certificate, gramine_legacy_oid(), "gramine-legacy"));
  RATLS_TRY(const Bytes* intel, find_once(certificate, intel_legacy_oid(), "intel-legacy"));
  if (gramine != nullptr && intel != nullptr) {
    return Error(Code::evidence_duplicate, "gramine-legacy",
                 "the legacy extension is there under both of its identifiers");
  }
  return gramine != nullptr ? gramine : intel;
}

template <class T>
Result<T> placed(Result<T> result, std::string_view place) {
  if (!result) return result.error().in(place);
  return result;
}

Result<Evidence> read_dice(BytesView value) {
  Evidence evidence;
  evidence.format = Format::dice;
  RATLS_TRY(const DiceParts parts, parse_dice(value));
  RATLS_TRY(evidence.claims, parse_claims(parts.claims));
  RATLS_TRY(evidence.quote, parse_quote(parts.quote));
  evidence.claims_bytes.assign(parts.claims.begin(), parts.claims.end());
  return evidence;
}

Result<void> check_key(const x509::Certificate& certificate) {
  using Kind = x509::PublicKeyKind;
  switch (certificate.key_kind) {
    case Kind::p256:
    case Kind::p384:
      return {};
    case Kind::rsa:
      if (certificate.rsa_bits >= kMinRsaBits) return {};
      return Error(Code::key_unsupported, "certificate.key",
                   "got RSA of " + std::to_string(certificate.rsa_bits) + " bits, wanted " +
                       std::to_string(kMinRsaBits) + " or more");
    case Kind::other:
      break;
  }
  return Error(Code::key_unsupported, "certificate.key", "wanted P-256, P-384 or RSA");
}

// All 64 bytes: with the upper half free, an enclave could be made to sign for two purposes.
Result<void> check_report_data(const Quote& quote, BytesView vouched, std::string_view name) {
  const ReportData wanted = report_data_for(vouched);
  if (crypto::constant_time_equal(quote.report_data().view(), wanted.view())) return {};
  return Error(Code::certificate_unbound, "quote.report_data",
               "got " + to_hex(quote.report_data()) + ", wanted SHA-256 of the " +
                   std::string(name) + " and zeros: " + to_hex(wanted));
}

Result<Bytes> hash_spki(unsigned algorithm, BytesView spki) {
  switch (algorithm) {
    case 1: {
      const crypto::Sha256 hash = crypto::sha256(spki);
      return Bytes(hash.bytes.begin(), hash.bytes.end());
    }
    case 7:
      return crypto::sha384(spki);
    case 8:
      return crypto::sha512(spki);
    default:
      return Error(Code::evidence_malformed, "pubkey-hash.algorithm",
                   "got " + std::to_string(algorithm) + ", wanted 1, 7 or 8");
  }
}

Result<void> check_dice(const Evidence& evidence, BytesView spki) {
  if (!evidence.claims) return Error(Code::evidence_malformed, "dice", "there are no claims");
  RATLS_CHECK(check_report_data(evidence.quote, evidence.claims_bytes, "claims"));
  RATLS_TRY(const Bytes hash, hash_spki(evidence.claims->hash_algorithm, spki));
  if (crypto::constant_time_equal(hash, evidence.claims->pubkey_hash)) return {};
  return Error(Code::certificate_unbound, "dice.pubkey-hash",
               "got " + to_hex(evidence.claims->pubkey_hash) + ", the certificate's key has " +
                   to_hex(hash));
}

// What the attestation key signed about enclave or TD, reserved fields included, but report_data:
// the part before it and, of TDX 1.5, the part behind it.
std::pair<BytesView, BytesView> report_without_data(const Quote& quote) {
  const std::size_t report_size =
      quote.tee() == Tee::sgx ? EnclaveReport::kSize : TdReport::kSize10;
  const BytesView bytes = quote.signed_bytes;
  if (bytes.size() < quote.body_offset + report_size) return {};
  const BytesView body = bytes.subspan(quote.body_offset);
  return {body.first(report_size - ReportData::kSize), body.subspan(report_size)};
}

Result<void> check_same_report(const Quote& one, const Quote& other, std::string_view where) {
  const auto [first, first_rest] = report_without_data(one);
  const auto [second, second_rest] = report_without_data(other);
  if (!first.empty() && crypto::constant_time_equal(first, second) &&
      crypto::constant_time_equal(first_rest, second_rest)) {
    return {};
  }
  return Error(Code::evidence_conflict, std::string(where),
               "it speaks of another enclave or TD than the certificate's quote");
}

Result<void> check_legacy(const Evidence& evidence, const Quote& legacy, BytesView spki) {
  const auto bound = check_report_data(legacy, spki, "SubjectPublicKeyInfo");
  if (!bound) {
    return Error(Code::evidence_conflict, "gramine-legacy." + bound.error().where(),
                 bound.error().detail());
  }
  return check_same_report(evidence.quote, legacy, "gramine-legacy.report");
}

}  // namespace

BytesView dice_oid() { return kDiceOid; }
BytesView gramine_legacy_oid() { return kGramineLegacyOid; }
BytesView intel_legacy_oid() { return kIntelLegacyOid; }
BytesView endorsements_oid() { return kEndorsementsOid; }

std::string_view to_string(Format format) noexcept {
  switch (format) {
    case Format::dice:
      return "dice";
    case Format::gramine_legacy:
      return "gramine-legacy";
  }
  return "unknown";
}

Result<Evidence> read_evidence(const x509::Certificate& certificate) {
  RATLS_TRY(const Bytes* dice, find_once(certificate, dice_oid(), "dice"));
  RATLS_TRY(const Bytes* legacy, find_legacy(certificate));
  if (dice == nullptr && legacy == nullptr) {
    return Error(Code::evidence_missing, "certificate.extensions",
                 "neither DICE evidence (" + x509::oid_to_text(dice_oid()) +
                     ") nor the legacy extension (" + x509::oid_to_text(intel_legacy_oid()) +
                     ") is there");
  }
  // Evidence that is there and bad is refused; it never falls back to the legacy extension.
  Evidence evidence;
  if (dice != nullptr) {
    RATLS_TRY(evidence, placed(read_dice(*dice), "dice"));
    // It outlives every session.
    if (evidence.claims->session) {
      return Error(Code::evidence_malformed, "dice.ratls-session", "in a certificate");
    }
  }
  if (legacy != nullptr) {
    RATLS_TRY(Quote quote, placed(parse_quote(*legacy), "gramine-legacy"));
    if (dice != nullptr) {
      evidence.legacy_quote = std::move(quote);
    } else {
      evidence.format = Format::gramine_legacy;
      evidence.quote = std::move(quote);
    }
  }
  return evidence;
}

Result<Evidence> read_session_evidence(BytesView value) {
  RATLS_TRY(Evidence evidence, placed(read_dice(value), "session"));
  if (evidence.claims->session) return evidence;
  return Error(Code::evidence_malformed, "session.ratls-session", "the claim is missing");
}

Result<std::shared_ptr<const Bytes>> find_endorsements(const x509::Certificate& certificate) {
  RATLS_TRY(const Bytes* value, find_once(certificate, endorsements_oid(), "endorsements"));
  return value == nullptr ? nullptr : std::make_shared<const Bytes>(*value);
}

Result<void> check_binding(const Evidence& evidence, const x509::Certificate& certificate) {
  RATLS_CHECK(check_key(certificate));
  if (evidence.format == Format::gramine_legacy) {
    return check_report_data(evidence.quote, certificate.spki, "SubjectPublicKeyInfo");
  }
  RATLS_CHECK(check_dice(evidence, certificate.spki));
  if (evidence.legacy_quote) {
    RATLS_CHECK(check_legacy(evidence, *evidence.legacy_quote, certificate.spki));
  }
  return {};
}

Result<void> check_session(const Evidence& session, const Evidence& certificates,
                           const x509::Certificate& certificate, const SessionExporter& exporter) {
  RATLS_CHECK(check_dice(session, certificate.spki));
  if (!session.claims->session ||
      !crypto::constant_time_equal(session.claims->session->view(), exporter.view())) {
    return Error(Code::evidence_not_fresh, "session.ratls-session", "made for another session");
  }
  // A TD's registers may grow, and its module be replaced, while it runs; an enclave stays the
  // same.
  if (certificates.quote.tee() == Tee::tdx && session.quote.tee() == Tee::tdx) return {};
  return check_same_report(certificates.quote, session.quote, "session.report");
}

}  // namespace ratls::evidence
