// SPDX-License-Identifier: Apache-2.0
#include "base/cbor.h"
#include "base/reader.h"
#include "collateral/document.h"
#include "ratls/collateral.h"
#include "x509/der.h"

namespace ratls {
namespace {

using cbor::CborReader;

constexpr Code kMalformed = Code::collateral_malformed;
constexpr std::uint64_t kTag = 60000;  // the tag of the evidence beside it
constexpr std::uint64_t kWithoutTime = 8;
constexpr std::uint64_t kWithTime = 9;
// What DCAP calls version 3.1: CRLs are DER (sgx_ql_lib_common.h).
constexpr std::uint64_t kVersion = 1U << 16U | 3U;

// What C had as a text comes with the zero byte at its end, or without.
Result<std::string_view> text(CborReader& reader, std::string_view field) {
  RATLS_TRY(const BytesView bytes, reader.bytes(field));
  std::string_view value = as_text(bytes);
  if (value.ends_with('\0')) value.remove_suffix(1);
  return value;
}

// Other writers put the same byte behind a CRL; but DER may also end in a zero of its own.
bool ends_in_one_too_many(const Bytes& crl) {
  if (crl.back() != 0) return false;
  x509::DerReader der(BytesView(crl).first(crl.size() - 1), kMalformed);
  return der.element("crl") && der.at_end();
}

Result<Bytes> crl(CborReader& reader, std::string_view field) {
  RATLS_TRY(const BytesView bytes, reader.bytes(field));
  std::string_view value = as_text(bytes);
  if (!value.starts_with('\x30')) {  // hex or PEM
    while (value.ends_with('\0')) value.remove_suffix(1);
  }
  auto decoded = collateral::decode_crl(value);
  if (!decoded) return decoded.error().in(field);
  if (ends_in_one_too_many(*decoded)) decoded->pop_back();
  return std::move(*decoded);
}

Result<collateral::SignedText> document(CborReader& reader, std::string_view field,
                                        std::string_view member) {
  RATLS_TRY(const std::string_view body, text(reader, field));
  auto sliced = collateral::slice_document(body, member);
  if (!sliced) return sliced.error().in(field);
  return std::move(*sliced);
}

void write_text(Bytes& out, std::string text) {
  text.push_back('\0');
  cbor::write_bytes(out, as_bytes(text));
}

void write_document(Bytes& out, std::string_view member, const std::string& text,
                    BytesView signature) {
  write_text(out, "{\"" + std::string(member) + "\":" + text + ",\"signature\":\"" +
                      to_hex(signature) + "\"}");
}

}  // namespace

Result<Collateral> parse_endorsements(BytesView value) {
  CborReader reader(value, kMalformed);
  RATLS_TRY(const std::uint64_t tag, reader.tag("tag"));
  if (tag != kTag) {
    return reader.fail("tag", "got " + std::to_string(tag) + ", wanted " + std::to_string(kTag));
  }
  RATLS_TRY(const std::uint64_t items, reader.array("endorsements"));
  if (items != kWithoutTime && items != kWithTime) {
    return reader.fail("endorsements", "got " + std::to_string(items) + " items, wanted 8 or 9");
  }
  // Writers disagree about the version's meaning; what it could tell is seen from the items.
  RATLS_CHECK(reader.unsigned_integer("version"));
  Collateral out;
  RATLS_TRY(auto tcb_info, document(reader, "tcb_info", "tcbInfo"));
  out.tcb_info = tcb_info.text;
  out.tcb_info_signature = std::move(tcb_info.signature);
  RATLS_TRY(out.tcb_info_issuer_chain, text(reader, "tcb_info_issuer_chain"));
  RATLS_TRY(out.pck_crl, crl(reader, "pck_crl"));
  RATLS_TRY(out.root_ca_crl, crl(reader, "root_ca_crl"));
  RATLS_TRY(out.pck_crl_issuer_chain, text(reader, "pck_crl_issuer_chain"));
  RATLS_TRY(auto identity, document(reader, "qe_identity", "enclaveIdentity"));
  out.qe_identity = identity.text;
  out.qe_identity_signature = std::move(identity.signature);
  RATLS_TRY(out.qe_identity_issuer_chain, text(reader, "qe_identity_issuer_chain"));
  if (items == kWithTime) RATLS_CHECK(reader.bytes("creation_time"));
  RATLS_CHECK(reader.end("endorsements"));
  return out;
}

Bytes format_endorsements(const Collateral& collateral) {
  Bytes out;
  cbor::write_tag(out, kTag);
  cbor::write_array(out, kWithoutTime);
  cbor::write_unsigned(out, kVersion);
  write_document(out, "tcbInfo", collateral.tcb_info, collateral.tcb_info_signature);
  write_text(out, collateral.tcb_info_issuer_chain);
  cbor::write_bytes(out, collateral.pck_crl);
  cbor::write_bytes(out, collateral.root_ca_crl);
  write_text(out, collateral.pck_crl_issuer_chain);
  write_document(out, "enclaveIdentity", collateral.qe_identity, collateral.qe_identity_signature);
  write_text(out, collateral.qe_identity_issuer_chain);
  return out;
}

}  // namespace ratls
