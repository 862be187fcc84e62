// SPDX-License-Identifier: Apache-2.0
#include "x509/crl.h"

#include <set>

#include "x509/algorithms.h"
#include "x509/structures.h"

namespace ratls::x509 {
namespace {

Bytes copy(BytesView view) { return Bytes(view.begin(), view.end()); }

// RFC 5280 4.2: not more than one instance of an extension.
Result<void> check_unique(const std::vector<Extension>& extensions, const DerReader& at) {
  std::set<Oid> seen;
  for (const Extension& extension : extensions) {
    if (!seen.insert(extension.oid).second) {
      return at.fail(oid_to_text(extension.oid), "the extension occurs more than once");
    }
  }
  return {};
}

// RFC 5280 5.3: an entry with an unknown critical extension must not be used. The reason is known:
// whatever it is, the certificate counts as revoked. certificateIssuer, the mark of an indirect
// list, is not supported.
Result<void> check_entry_extensions(DerReader& entry) {
  if (entry.at_end()) return {};
  RATLS_TRY(const auto extensions, read_extensions(entry, "crlEntryExtensions"));
  RATLS_CHECK(check_unique(extensions, entry));
  for (const Extension& extension : extensions) {
    if (extension.critical && !same_bytes(extension.oid, kOidReasonCode)) {
      return entry.fail(oid_to_text(extension.oid), "an unknown critical extension");
    }
  }
  return {};
}

Result<void> read_entry(DerReader& list, Crl& out) {
  RATLS_TRY(DerReader entry, list.enter(kTagSequence, "revokedCertificates"));
  RATLS_TRY(const BytesView serial, read_serial(entry, "revokedCertificates.userCertificate"));
  RATLS_CHECK(entry.time("revokedCertificates.revocationDate"));
  RATLS_CHECK(check_entry_extensions(entry));
  RATLS_CHECK(entry.end("revokedCertificates"));
  out.revoked_serials.push_back(copy(serial));
  return {};
}

// RFC 5280 5.1.2.6: without entries the list is absent, not empty.
Result<void> read_entries(DerReader& tbs, Crl& out) {
  if (!tbs.next_is(kTagSequence)) return {};
  RATLS_TRY(DerReader list, tbs.enter(kTagSequence, "revokedCertificates"));
  if (list.at_end()) return list.fail("revokedCertificates", "an empty list");
  while (!list.at_end()) RATLS_CHECK(read_entry(list, out));
  std::sort(out.revoked_serials.begin(), out.revoked_serials.end());
  return {};
}

// RFC 5280 5.2: a list with an unknown critical extension must not be used. Those of partial,
// indirect and delta lists (5.2.4, 5.2.5) are critical and count as unknown. The number and the
// issuer's key identifier are mandatory (5.2.1, 5.2.3; Intel QVL, CRL_REQUIRED_EXTENSIONS).
Result<void> read_list_extensions(DerReader& tbs, Crl& out) {
  bool names_key = false;
  RATLS_TRY(DerReader wrapper, tbs.enter(context_constructed(0), "crlExtensions"));
  RATLS_TRY(const auto extensions, read_extensions(wrapper, "crlExtensions"));
  RATLS_CHECK(wrapper.end("crlExtensions"));
  RATLS_CHECK(check_unique(extensions, wrapper));
  for (const Extension& extension : extensions) {
    if (same_bytes(extension.oid, kOidCrlNumber)) {
      DerReader value(extension.value, tbs.code());
      // RFC 5280 5.2.3: up to 20 bytes; a list may be the one with the number 0.
      RATLS_TRY(const BytesView number, value.unsigned_integer_content(20, "cRLNumber"));
      RATLS_CHECK(value.end("cRLNumber"));
      out.crl_number = copy(number);
    } else if (extension.critical) {
      return wrapper.fail(oid_to_text(extension.oid), "an unknown critical extension");
    }
    names_key = names_key || same_bytes(extension.oid, kOidAuthorityKeyIdentifier);
  }
  if (!out.crl_number || !names_key) {
    return tbs.fail("crlExtensions", "cRLNumber and authorityKeyIdentifier are needed");
  }
  return {};
}

Result<Crl> parse_der(BytesView der) {
  RATLS_TRY(const SignedObject object, read_signed_object(der, Code::crl_malformed));
  Crl out;
  out.tbs = copy(object.tbs);
  out.signature_algorithm = copy(object.algorithm_oid);
  out.signature = copy(object.signature);
  DerReader tbs = object.tbs_content;
  // RFC 5280 5.1.2.1: v2 is the number 1.
  RATLS_TRY(const std::uint64_t version, tbs.unsigned_integer(255, "version"));
  if (version != 1) return tbs.fail("version", "only version 2 is supported");
  RATLS_CHECK(check_inner_algorithm(tbs, object));
  RATLS_TRY(const Name issuer, read_name(tbs, "issuer"));
  out.issuer = copy(issuer.whole);
  RATLS_TRY(out.this_update, tbs.time("thisUpdate"));
  RATLS_TRY(out.next_update, tbs.time("nextUpdate"));
  RATLS_CHECK(read_entries(tbs, out));
  RATLS_CHECK(read_list_extensions(tbs, out));
  RATLS_CHECK(tbs.end("tbsCertList"));
  return out;
}

Result<Crl> parse_either(BytesView bytes) {
  if (bytes.size() > kMaxCrlSize) {
    return Error(Code::crl_malformed, "size", std::to_string(bytes.size()) + " bytes are too many");
  }
  if (!bytes.empty() && bytes[0] == kTagSequence) return parse_der(bytes);
  RATLS_TRY(const std::vector<Bytes> blocks, split_pem(bytes, "X509 CRL", 1, Code::crl_malformed));
  return parse_der(blocks.front());
}

}  // namespace

// Both sides are contents of INTEGERs in the shortest form, so that equal numbers are equal bytes.
bool Crl::revokes(const Certificate& certificate) const {
  return std::binary_search(revoked_serials.begin(), revoked_serials.end(), certificate.serial);
}

Result<Crl> parse_crl(BytesView bytes, std::string_view what) {
  auto crl = parse_either(bytes);
  if (!crl) return crl.error().in(what);
  return crl;
}

}  // namespace ratls::x509
