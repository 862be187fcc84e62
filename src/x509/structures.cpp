// SPDX-License-Identifier: Apache-2.0
#include "x509/structures.h"

#include "x509/algorithms.h"

namespace ratls::x509 {
namespace {

constexpr std::size_t kMaxSerial = 20;
constexpr std::array<std::uint8_t, 3> kOidCommonName{0x55, 0x04, 0x03};

Bytes copy(BytesView view) { return Bytes(view.begin(), view.end()); }

// Reports and logs show names: only printable ASCII gets that far, so that a name cannot forge
// lines or break an encoding. Other names count as absent, which no check accepts.
std::string printable_text(const DerElement& value) {
  const bool text_type = value.tag == kTagUtf8String || value.tag == kTagPrintableString ||
                         value.tag == kTagIa5String || value.tag == kTagTeletexString;
  const bool printable = std::all_of(value.content.begin(), value.content.end(),
                                     [](std::uint8_t c) { return c >= 0x20 && c < 0x7F; });
  return text_type && printable ? std::string(as_text(value.content)) : std::string();
}

Result<Extension> read_extension(DerReader& list) {
  RATLS_TRY(DerReader fields, list.enter(kTagSequence, "extension"));
  Extension out;
  RATLS_TRY(BytesView oid, fields.oid("extension.oid"));
  out.oid = copy(oid);
  if (fields.next_is(kTagBoolean)) {
    RATLS_TRY(out.critical, fields.boolean("extension.critical"));
    // X.690 11.5: a DEFAULT value is not encoded.
    if (!out.critical) return fields.fail("extension.critical", "an encoded default");
  }
  RATLS_TRY(BytesView value, fields.octet_string("extension.value"));
  out.value = copy(value);
  RATLS_CHECK(fields.end("extension"));
  return out;
}

}  // namespace

Result<AlgorithmIdentifier> read_algorithm(DerReader& reader, std::string_view field) {
  RATLS_TRY(const DerElement whole, reader.element(kTagSequence, field));
  DerReader fields(whole.content, reader.code());
  AlgorithmIdentifier out;
  out.whole = whole.whole;
  RATLS_TRY(out.oid, fields.oid(field));
  if (!fields.at_end()) {
    RATLS_TRY(out.parameters, fields.element(field));
  }
  RATLS_CHECK(fields.end(field));
  return out;
}

Result<SignedObject> read_signed_object(BytesView der, Code on_error) {
  DerReader outer(der, on_error);
  RATLS_TRY(DerReader fields, outer.enter(kTagSequence, "outer sequence"));
  RATLS_CHECK(outer.end("outer sequence"));
  RATLS_TRY(const DerElement tbs, fields.element(kTagSequence, "tbs"));
  RATLS_TRY(const AlgorithmIdentifier algorithm, read_algorithm(fields, "signatureAlgorithm"));
  RATLS_TRY(const BytesView signature, fields.bit_string("signature"));
  RATLS_CHECK(fields.end("outer sequence"));
  return SignedObject{tbs.whole, DerReader(tbs.content, on_error), algorithm.whole, algorithm.oid,
                      signature};
}

Result<void> check_inner_algorithm(DerReader& tbs, const SignedObject& object) {
  RATLS_TRY(const AlgorithmIdentifier inner, read_algorithm(tbs, "tbs.signature"));
  if (!same_bytes(inner.whole, object.algorithm)) {
    return tbs.fail("tbs.signature", "another algorithm than outside of the signed bytes");
  }
  return {};
}

Result<Name> read_name(DerReader& reader, std::string_view field) {
  RATLS_TRY(const DerElement whole, reader.element(kTagSequence, field));
  Name out{whole.whole, {}};
  bool found = false;
  DerReader rdns(whole.content, reader.code());
  while (!rdns.at_end()) {
    RATLS_TRY(DerReader rdn, rdns.enter(kTagSet, field));
    if (rdn.at_end()) return rdn.fail(field, "an empty relative name");
    while (!rdn.at_end()) {
      RATLS_TRY(DerReader attribute, rdn.enter(kTagSequence, field));
      RATLS_TRY(const BytesView type, attribute.oid(field));
      RATLS_TRY(const DerElement value, attribute.element(field));
      RATLS_CHECK(attribute.end(field));
      if (!found && same_bytes(type, kOidCommonName)) {
        found = true;
        out.common_name = printable_text(value);
      }
    }
  }
  return out;
}

Result<BytesView> read_serial(DerReader& reader, std::string_view field) {
  RATLS_TRY(const BytesView content, reader.positive_integer(field));
  const std::size_t sign = content[0] == 0 ? 1 : 0;
  if (content.size() - sign > kMaxSerial) return reader.fail(field, "more than 20 bytes");
  return content;
}

Result<std::vector<Extension>> read_extensions(DerReader& reader, std::string_view field) {
  RATLS_TRY(DerReader list, reader.enter(kTagSequence, field));
  if (list.at_end()) return list.fail(field, "an empty list");
  std::vector<Extension> out;
  while (!list.at_end()) {
    RATLS_TRY(Extension extension, read_extension(list));
    out.push_back(std::move(extension));
  }
  return out;
}

}  // namespace ratls::x509
