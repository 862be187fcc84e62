// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate.h"

#include <bit>

#include "x509/algorithms.h"
#include "x509/structures.h"

namespace ratls::x509 {
namespace {

Bytes copy(BytesView view) { return Bytes(view.begin(), view.end()); }

// RFC 5280 4.1.2.1: v3 is the number 2, in [0] EXPLICIT.
Result<void> read_version(DerReader& tbs) {
  RATLS_TRY(DerReader version, tbs.enter(context_constructed(0), "tbs.version"));
  RATLS_TRY(const std::uint64_t value, version.unsigned_integer(255, "tbs.version"));
  if (value != 2) return version.fail("tbs.version", "only version 3 is supported");
  return version.end("tbs.version");
}

Result<void> read_validity(DerReader& tbs, Certificate& out) {
  RATLS_TRY(DerReader validity, tbs.enter(kTagSequence, "tbs.validity"));
  RATLS_TRY(out.not_before, validity.time("tbs.validity.notBefore"));
  RATLS_TRY(out.not_after, validity.time("tbs.validity.notAfter"));
  return validity.end("tbs.validity");
}

// RFC 5480 2.1.1 and 2.2. Keys in other forms (compressed points, explicit curves, other curves)
// stay PublicKeyKind::other, which no check accepts.
void read_ec_key(const AlgorithmIdentifier& algorithm, BytesView key, Certificate& out) {
  if (!algorithm.parameters || algorithm.parameters->tag != kTagOid) return;
  const BytesView curve = algorithm.parameters->content;
  PublicKeyKind kind = PublicKeyKind::other;
  std::size_t point_size = 0;
  if (same_bytes(curve, kOidP256)) {
    kind = PublicKeyKind::p256;
    point_size = 64;
  } else if (same_bytes(curve, kOidP384)) {
    kind = PublicKeyKind::p384;
    point_size = 96;
  }
  if (kind == PublicKeyKind::other || key.size() != 1 + point_size || key[0] != 0x04) return;
  out.key_kind = kind;
  out.ec_point = copy(key.subspan(1));
}

// RFC 3279 2.3.1
Result<void> read_rsa_key(const AlgorithmIdentifier& algorithm, BytesView key, Code on_error,
                          Certificate& out) {
  DerReader outer(key, on_error);
  if (!algorithm.parameters || algorithm.parameters->tag != kTagNull ||
      !algorithm.parameters->content.empty()) {
    return outer.fail("tbs.subjectPublicKeyInfo", "RSA without NULL parameters");
  }
  RATLS_TRY(DerReader fields, outer.enter(kTagSequence, "tbs.subjectPublicKeyInfo.rsa"));
  RATLS_CHECK(outer.end("tbs.subjectPublicKeyInfo.rsa"));
  RATLS_TRY(BytesView modulus, fields.positive_integer("tbs.subjectPublicKeyInfo.modulus"));
  RATLS_CHECK(fields.positive_integer("tbs.subjectPublicKeyInfo.exponent"));
  RATLS_CHECK(fields.end("tbs.subjectPublicKeyInfo.rsa"));
  if (modulus[0] == 0) modulus = modulus.subspan(1);
  out.key_kind = PublicKeyKind::rsa;
  out.rsa_bits = modulus.size() * 8 - static_cast<std::size_t>(std::countl_zero(modulus[0]));
  return {};
}

Result<void> read_public_key(DerReader& tbs, Code on_error, Certificate& out) {
  RATLS_TRY(const DerElement spki, tbs.element(kTagSequence, "tbs.subjectPublicKeyInfo"));
  out.spki = copy(spki.whole);
  DerReader fields(spki.content, on_error);
  RATLS_TRY(const AlgorithmIdentifier algorithm,
            read_algorithm(fields, "tbs.subjectPublicKeyInfo.algorithm"));
  RATLS_TRY(const BytesView key, fields.bit_string("tbs.subjectPublicKeyInfo.subjectPublicKey"));
  RATLS_CHECK(fields.end("tbs.subjectPublicKeyInfo"));
  if (same_bytes(algorithm.oid, kOidEcPublicKey)) read_ec_key(algorithm, key, out);
  if (same_bytes(algorithm.oid, kOidRsa)) return read_rsa_key(algorithm, key, on_error, out);
  return {};
}

// RFC 5280 4.1.2.8: [1] issuerUniqueID and [2] subjectUniqueID must be understood as present;
// nothing is read from them.
Result<void> skip_unique_ids(DerReader& tbs) {
  for (std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}}) {
    if (tbs.next_is(context_primitive(number))) RATLS_CHECK(tbs.element("tbs.uniqueID"));
  }
  return {};
}

Result<void> read_tbs(const SignedObject& object, Code on_error, Certificate& out) {
  DerReader tbs = object.tbs_content;
  RATLS_CHECK(read_version(tbs));
  RATLS_TRY(const BytesView serial, read_serial(tbs, "tbs.serialNumber"));
  out.serial = copy(serial);
  RATLS_CHECK(check_inner_algorithm(tbs, object));
  RATLS_TRY(Name issuer, read_name(tbs, "tbs.issuer"));
  out.issuer = copy(issuer.whole);
  out.issuer_common_name = std::move(issuer.common_name);
  RATLS_CHECK(read_validity(tbs, out));
  RATLS_TRY(Name subject, read_name(tbs, "tbs.subject"));
  out.subject = copy(subject.whole);
  out.subject_common_name = std::move(subject.common_name);
  RATLS_CHECK(read_public_key(tbs, on_error, out));
  RATLS_CHECK(skip_unique_ids(tbs));
  if (!tbs.at_end()) {
    RATLS_TRY(DerReader wrapper, tbs.enter(context_constructed(3), "tbs.extensions"));
    RATLS_TRY(out.extensions, read_extensions(wrapper, "tbs.extensions"));
    RATLS_CHECK(wrapper.end("tbs.extensions"));
  }
  RATLS_CHECK(tbs.end("tbs"));
  return read_known_extensions(out, on_error);
}

}  // namespace

std::vector<const Extension*> Certificate::find(BytesView oid) const {
  std::vector<const Extension*> out;
  for (const Extension& extension : extensions) {
    if (same_bytes(extension.oid, oid)) out.push_back(&extension);
  }
  return out;
}

Result<Certificate> parse_certificate(BytesView der, Code on_error) {
  if (der.size() > kMaxCertificateSize) {
    return Error(on_error, "certificate", std::to_string(der.size()) + " bytes are too many");
  }
  RATLS_TRY(const SignedObject object, read_signed_object(der, on_error));
  Certificate out;
  out.der = copy(der);
  out.tbs = copy(object.tbs);
  out.signature_algorithm = copy(object.algorithm_oid);
  out.signature = copy(object.signature);
  RATLS_CHECK(read_tbs(object, on_error, out));
  return out;
}

}  // namespace ratls::x509
