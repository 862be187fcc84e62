// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/cbor.h"
#include "crypto/crypto.h"
#include "evidence/evidence.h"

namespace ratls::evidence {
namespace {

constexpr Code kMalformed = Code::evidence_malformed;
constexpr std::uint64_t kDiceTag = 60000;  // TCG DICE tagged evidence
constexpr std::string_view kPubkeyHash = "pubkey-hash";
constexpr std::string_view kNotAfter = "ratls-not-after";
constexpr std::string_view kSession = "ratls-session";
constexpr std::uint64_t kLastSecond = 253402300799;  // 9999-12-31T23:59:59Z, X.509's last

// IANA named information hash algorithms (RFC 6920 9.4).
constexpr std::uint64_t kSha256 = 1;
constexpr std::uint64_t kSha384 = 7;
constexpr std::uint64_t kSha512 = 8;

// The digest's size, 0 for an algorithm that is not accepted.
std::size_t digest_size(std::uint64_t algorithm) {
  switch (algorithm) {
    case kSha256:
      return 32;
    case kSha384:
      return 48;
    case kSha512:
      return 64;
    default:
      return 0;
  }
}

Result<void> parse_pubkey_hash(BytesView value, Claims& claims) {
  cbor::CborReader reader(value, kMalformed);
  RATLS_TRY(const std::uint64_t items, reader.array(kPubkeyHash));
  if (items != 2) return reader.fail(kPubkeyHash, "wanted an array of algorithm and hash");
  RATLS_TRY(const std::uint64_t algorithm, reader.unsigned_integer("pubkey-hash.algorithm"));
  RATLS_TRY(BytesView hash, reader.bytes("pubkey-hash.hash"));
  RATLS_CHECK(reader.end(kPubkeyHash));
  const std::size_t size = digest_size(algorithm);
  if (size == 0) {
    return reader.fail("pubkey-hash.algorithm",
                       "got " + std::to_string(algorithm) + ", wanted 1, 7 or 8");
  }
  if (hash.size() != size) {
    return reader.fail("pubkey-hash.hash", "got " + std::to_string(hash.size()) +
                                               " bytes, wanted " + std::to_string(size));
  }
  claims.hash_algorithm = static_cast<unsigned>(algorithm);
  claims.pubkey_hash.assign(hash.begin(), hash.end());
  return {};
}

Result<void> parse_not_after(BytesView value, Claims& claims) {
  cbor::CborReader reader(value, kMalformed);
  RATLS_TRY(const std::uint64_t seconds, reader.unsigned_integer(kNotAfter));
  RATLS_CHECK(reader.end(kNotAfter));
  if (seconds > kLastSecond) return reader.fail(kNotAfter, "the time is after the year 9999");
  claims.not_after = UnixTime(std::chrono::seconds(seconds));
  return {};
}

Result<void> parse_session(BytesView value, Claims& claims) {
  cbor::CborReader reader(value, kMalformed);
  RATLS_TRY(BytesView exporter, reader.bytes(kSession));
  RATLS_CHECK(reader.end(kSession));
  if (exporter.size() != SessionExporter::kSize) {
    return reader.fail(kSession, "got " + std::to_string(exporter.size()) + " bytes, wanted " +
                                     std::to_string(SessionExporter::kSize));
  }
  std::ranges::copy(exporter, claims.session.emplace().bytes.begin());
  return {};
}

// One claim; the values that ratls knows are CBOR inside a byte string, others may be anything.
Result<void> parse_claim(cbor::CborReader& reader, std::string_view key, Claims& claims) {
  if (key == kPubkeyHash) {
    RATLS_TRY(BytesView value, reader.bytes(kPubkeyHash));
    return parse_pubkey_hash(value, claims);
  }
  if (key == kNotAfter) {
    RATLS_TRY(BytesView value, reader.bytes(kNotAfter));
    return parse_not_after(value, claims);
  }
  if (key == kSession) {
    RATLS_TRY(BytesView value, reader.bytes(kSession));
    return parse_session(value, claims);
  }
  return reader.skip("claims.value");
}

}  // namespace

Result<DiceParts> parse_dice(BytesView value) {
  cbor::CborReader reader(value, kMalformed);
  RATLS_TRY(const std::uint64_t tag, reader.tag("tag"));
  if (tag != kDiceTag) {
    return reader.fail("tag",
                       "got " + std::to_string(tag) + ", wanted " + std::to_string(kDiceTag));
  }
  RATLS_TRY(const std::uint64_t items, reader.array("evidence"));
  if (items != 2) {
    return reader.fail("evidence",
                       "got " + std::to_string(items) + " items, wanted quote and claims");
  }
  DiceParts parts;
  RATLS_TRY(parts.quote, reader.bytes("quote"));
  RATLS_TRY(parts.claims, reader.bytes("claims"));
  RATLS_CHECK(reader.end("evidence"));
  return parts;
}

Result<Claims> parse_claims(BytesView bytes) {
  cbor::CborReader reader(bytes, kMalformed);
  RATLS_TRY(const std::uint64_t pairs, reader.map("claims"));
  Claims claims;
  std::set<std::string_view> keys;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    RATLS_TRY(std::string_view key, reader.text("claims.key"));
    if (!keys.insert(key).second) return reader.fail("claims.key", "a claim is there twice");
    RATLS_CHECK(parse_claim(reader, key, claims));
  }
  RATLS_CHECK(reader.end("claims"));
  // Without it the quote vouches for no key at all, however well the claims are bound.
  if (claims.pubkey_hash.empty()) return reader.fail(kPubkeyHash, "the claim is missing");
  return claims;
}

Bytes write_claims(BytesView spki_der, UnixTime not_after,
                   const std::optional<SessionExporter>& session) {
  Bytes hash;
  cbor::write_array(hash, 2);
  cbor::write_unsigned(hash, kSha256);
  cbor::write_bytes(hash, crypto::sha256(spki_der).view());

  Bytes seconds;
  // A time before 1970 becomes one that has passed.
  cbor::write_unsigned(seconds, static_cast<std::uint64_t>(std::max<std::int64_t>(
                                    0, not_after.time_since_epoch().count())));

  Bytes out;
  cbor::write_map(out, session ? 3 : 2);
  cbor::write_text(out, kPubkeyHash);
  cbor::write_bytes(out, hash);
  cbor::write_text(out, kNotAfter);
  cbor::write_bytes(out, seconds);
  if (session) {
    Bytes exporter;
    cbor::write_bytes(exporter, session->view());
    cbor::write_text(out, kSession);
    cbor::write_bytes(out, exporter);
  }
  return out;
}

ReportData report_data_for(BytesView bytes) {
  ReportData out;
  const crypto::Sha256 hash = crypto::sha256(bytes);
  std::copy(hash.bytes.begin(), hash.bytes.end(), out.bytes.begin());
  return out;
}

Bytes write_dice(BytesView quote, BytesView claims) {
  Bytes out;
  cbor::write_tag(out, kDiceTag);
  cbor::write_array(out, 2);
  cbor::write_bytes(out, quote);
  cbor::write_bytes(out, claims);
  return out;
}

}  // namespace ratls::evidence
