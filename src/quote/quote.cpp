// SPDX-License-Identifier: Apache-2.0
#include "ratls/quote.h"

#include "base/reader.h"

namespace ratls {
namespace {

constexpr std::uint16_t kKeyTypeEcdsaP256 = 2;
constexpr std::uint32_t kTeeTypeSgx = 0;
constexpr std::uint32_t kTeeTypeTdx = 0x81;
// Intel's quoting enclaves; Intel's library knows no other vendor.
constexpr QeVendorId kIntelQeVendorId{{0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A,
                                       0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07}};

// Sizes of types 1 to 3: the PPID (16 bytes, or an RSA cipher text), CPUSVN 16, PCESVN 2, PCEID 2.
constexpr std::size_t kPpidClearSize = 36;
constexpr std::size_t kPpidClearSizeWithoutPceId = 34;  // Intel's own samples
constexpr std::size_t kPpidRsa2048Size = 276;
constexpr std::size_t kPpidRsa3072Size = 404;

Error unsupported(std::string_view field, std::string detail) {
  return Error(Code::quote_unsupported, std::string(field), std::move(detail));
}

Error certification_unsupported(std::string_view field, std::string detail) {
  return Error(Code::certification_data_unsupported, std::string(field), std::move(detail));
}

Result<void> check_version(std::uint16_t version) {
  if (version >= 3 && version <= 5) return {};
  return unsupported("header.version", "got " + std::to_string(version) + ", wanted 3, 4 or 5");
}

// Version 3 has no TEE type: its four bytes are reserved, and Intel's library takes only zero.
Result<void> check_tee_type(std::uint32_t tee_type, std::uint16_t version) {
  if (tee_type == kTeeTypeSgx || (tee_type == kTeeTypeTdx && version > 3)) return {};
  return unsupported("header.tee_type",
                     "got " + std::to_string(tee_type) + ", wanted 0 (SGX)" +
                         (version > 3 ? " or 129 (TDX)" : ", as version 3 is for SGX only"));
}

Result<QuoteHeader> parse_header(Reader& reader) {
  QuoteHeader header;
  RATLS_TRY(header.version, reader.u16le("header.version"));
  RATLS_CHECK(check_version(header.version));
  RATLS_TRY(header.attestation_key_type, reader.u16le("header.attestation_key_type"));
  RATLS_TRY(header.tee_type, reader.u32le("header.tee_type"));
  RATLS_TRY(header.qe_svn, reader.u16le("header.qe_svn"));
  RATLS_TRY(header.pce_svn, reader.u16le("header.pce_svn"));
  RATLS_TRY(header.qe_vendor_id, reader.fixed<QeVendorId>("header.qe_vendor_id"));
  RATLS_TRY(header.user_data, reader.fixed<UserData>("header.user_data"));
  if (header.attestation_key_type != kKeyTypeEcdsaP256) {
    return unsupported(
        "header.attestation_key_type",
        "got " + std::to_string(header.attestation_key_type) + ", wanted 2 (ECDSA with P-256)");
  }
  RATLS_CHECK(check_tee_type(header.tee_type, header.version));
  if (header.qe_vendor_id != kIntelQeVendorId) {
    return unsupported("header.qe_vendor_id", "got " + to_hex(header.qe_vendor_id) + ", wanted " +
                                                  to_hex(kIntelQeVendorId) + " (Intel)");
  }
  return header;
}

Result<void> check_certification_size(CertificationType type, std::size_t size) {
  bool fits = true;
  switch (type) {
    case CertificationType::ppid_clear:
      fits = size == kPpidClearSize || size == kPpidClearSizeWithoutPceId;
      break;
    case CertificationType::ppid_rsa2048:
      fits = size == kPpidRsa2048Size;
      break;
    case CertificationType::ppid_rsa3072:
      fits = size == kPpidRsa3072Size;
      break;
    case CertificationType::pck_chain:
      break;
    case CertificationType::qe_report:
      fits = false;
      break;
  }
  if (fits) return {};
  return certification_unsupported("certification_data.size",
                                   std::to_string(size) + " bytes do not fit type " +
                                       std::to_string(static_cast<unsigned>(type)));
}

Result<CertificationData> parse_certification_data(Reader& reader) {
  RATLS_TRY(const std::uint16_t type, reader.u16le("certification_data.type"));
  if (type != 1 && type != 2 && type != 3 && type != 5) {
    return certification_unsupported(
        "certification_data.type",
        "got " + std::to_string(type) + ", wanted 5 (PCK certificate chain) or 1 to 3 (PPID)");
  }
  RATLS_TRY(const std::uint32_t size, reader.u32le("certification_data.size"));
  RATLS_TRY(BytesView body, reader.bytes("certification_data.body", size));
  const auto known = static_cast<CertificationType>(type);
  RATLS_CHECK(check_certification_size(known, body.size()));
  return CertificationData{known, Bytes(body.begin(), body.end())};
}

// What versions 3 and 4 have in common: the QE's report up to the end of the certification data.
Result<void> parse_qe_part(Reader& reader, QuoteSignature& signature) {
  RATLS_TRY(BytesView report, reader.bytes("qe_report", EnclaveReport::kSize));
  signature.qe_report_bytes.assign(report.begin(), report.end());
  auto qe_report = parse_enclave_report(report);
  if (!qe_report) return qe_report.error().in("qe_report");
  signature.qe_report = std::move(qe_report).value();
  RATLS_TRY(signature.qe_report_signature, reader.fixed<EcdsaSignature>("qe_report.signature"));
  RATLS_TRY(const std::uint16_t auth_size, reader.u16le("qe_auth_data.size"));
  RATLS_TRY(BytesView auth, reader.bytes("qe_auth_data.body", auth_size));
  signature.qe_auth_data.assign(auth.begin(), auth.end());
  RATLS_TRY(signature.certification_data, parse_certification_data(reader));
  return {};
}

// Since version 4 the QE part is wrapped in certification data of type 6.
Result<Reader> open_outer_certification_data(Reader& reader) {
  RATLS_TRY(const std::uint16_t type, reader.u16le("outer_certification_data.type"));
  if (type != static_cast<std::uint16_t>(CertificationType::qe_report)) {
    return certification_unsupported("outer_certification_data.type",
                                     "got " + std::to_string(type) + ", wanted 6 (QE report)");
  }
  RATLS_TRY(const std::uint32_t size, reader.u32le("outer_certification_data.size"));
  return reader.sub("outer_certification_data.body", size);
}

Result<QuoteSignature> parse_signature(Reader reader, std::uint16_t version) {
  QuoteSignature signature;
  RATLS_TRY(signature.signature, reader.fixed<EcdsaSignature>("signature"));
  RATLS_TRY(signature.attestation_key, reader.fixed<EcdsaPublicKey>("attestation_key"));
  if (version == 3) {
    RATLS_CHECK(parse_qe_part(reader, signature));
  } else {
    RATLS_TRY(Reader outer, open_outer_certification_data(reader));
    RATLS_CHECK(parse_qe_part(outer, signature));
    RATLS_CHECK(outer.end("outer_certification_data"));
  }
  RATLS_CHECK(reader.end("auth_data"));
  return signature;
}

// What the quote speaks of: the header says it in version 4, a descriptor of six bytes in
// version 5.
enum class BodyType : std::uint16_t { enclave = 1, td10 = 2, td15 = 3, td15_extended = 4 };

std::size_t size_of(BodyType type) {
  switch (type) {
    case BodyType::enclave:
      return EnclaveReport::kSize;
    case BodyType::td10:
      return TdReport::kSize10;
    case BodyType::td15:
      return TdReport::kSize15;
    case BodyType::td15_extended:
      break;
  }
  return 0;
}

Result<BodyType> parse_body_descriptor(Reader& reader, std::uint32_t tee_type) {
  RATLS_TRY(const std::uint16_t type, reader.u16le("body.type"));
  RATLS_TRY(const std::uint32_t size, reader.u32le("body.size"));
  // The extended report tells of a TD that came from another platform, by whose TCB it would have
  // to be judged too.
  if (type == static_cast<std::uint16_t>(BodyType::td15_extended)) {
    return unsupported("body.type", "the extended report of migrated TDs (4) is not supported");
  }
  if (type < 1 || type > 3) {
    return unsupported("body.type", "got " + std::to_string(type) +
                                        ", wanted 1 (enclave), 2 (TD 1.0) or 3 (TD 1.5)");
  }
  const auto known = static_cast<BodyType>(type);
  if ((known == BodyType::enclave) != (tee_type == kTeeTypeSgx)) {
    return unsupported("body.type", "type " + std::to_string(type) + " does not fit TEE type " +
                                        std::to_string(tee_type));
  }
  if (size != size_of(known)) {
    return reader.fail(
        "body.size", "got " + std::to_string(size) + ", wanted " + std::to_string(size_of(known)));
  }
  return known;
}

Result<void> parse_body(Reader& reader, Quote& quote) {
  BodyType type = quote.header.tee_type == kTeeTypeSgx ? BodyType::enclave : BodyType::td10;
  if (quote.header.version >= 5) {
    RATLS_TRY(type, parse_body_descriptor(reader, quote.header.tee_type));
  }
  quote.body_offset = reader.offset();
  RATLS_TRY(const BytesView body, reader.bytes("report", size_of(type)));
  if (type == BodyType::enclave) {
    RATLS_TRY(quote.body, parse_enclave_report(body));
  } else {
    RATLS_TRY(quote.body, parse_td_report(body));
  }
  return {};
}

}  // namespace

Result<Quote> parse_quote(BytesView bytes) {
  Reader reader(bytes, Code::quote_malformed);
  Quote quote;
  RATLS_TRY(quote.header, parse_header(reader));
  RATLS_CHECK(parse_body(reader, quote));
  const BytesView signed_bytes = bytes.first(reader.offset());
  RATLS_TRY(const std::uint32_t auth_size, reader.u32le("auth_data.size"));
  if (auth_size > kMaxQuoteSize - reader.offset()) {
    return reader.fail("auth_data.size", std::to_string(auth_size) +
                                             " bytes make the quote longer than " +
                                             std::to_string(kMaxQuoteSize));
  }
  RATLS_TRY(Reader auth_data, reader.sub("auth_data", auth_size));
  RATLS_TRY(quote.signature, parse_signature(auth_data, quote.header.version));
  quote.signed_bytes.assign(signed_bytes.begin(), signed_bytes.end());
  quote.size = reader.offset();
  return quote;
}

}  // namespace ratls
