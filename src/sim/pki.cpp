// SPDX-License-Identifier: Apache-2.0
#include "sim/pki.h"

#include "base/reader.h"

namespace ratls::sim {
namespace {

using x509::der_octet_string;
using x509::der_oid;
using x509::der_sequence;
using x509::der_tlv;

constexpr std::uint8_t kTagBoolean = 0x01;
constexpr std::uint8_t kTagEnumerated = 0x0A;
constexpr std::uint16_t kSignsData = 1U << 0 | 1U << 1;          // digitalSignature, nonRepudiation
constexpr std::uint16_t kSignsCertificates = 1U << 5 | 1U << 6;  // keyCertSign, cRLSign

std::vector<x509::NameAttribute> name(std::string common_name) {
  return {{"CN", std::move(common_name)}, {"O", "ratls simulation"}};
}

Bytes concatenate(const std::vector<Bytes>& parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// RFC 5280 4.1.2.2: positive and at most 20 bytes.
constexpr std::size_t kSerialSize = 20;

// Intel's library demands the extension; a name under "invalid" (RFC 2606) never resolves.
constexpr std::string_view kCrlUrl = "https://ratls-simulation.invalid/crl";

Result<Bytes> random_serial() {
  Bytes serial(kSerialSize);
  RATLS_CHECK(crypto::fill_random(serial));
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3F) | 0x40);
  return serial;
}

struct Profile {
  std::string common_name;
  std::uint16_t usage = 0;
  x509::Extension constraints;
};

Result<CertificateDraft> draft(Profile profile, Key key, const CertificateDraft* issuer,
                               Lifetime lifetime) {
  CertificateDraft out;
  const Key signer = issuer != nullptr ? issuer->key : key;
  RATLS_TRY(out.spec.serial, random_serial());
  out.spec.subject = name(std::move(profile.common_name));
  out.spec.issuer = issuer != nullptr ? issuer->spec.subject : out.spec.subject;
  out.spec.not_before = lifetime.not_before;
  out.spec.not_after = lifetime.not_after;
  RATLS_TRY(out.spec.subject_spki, key->spki_der());
  RATLS_TRY(const Bytes issuer_spki, signer->spki_der());
  out.spec.extensions = {x509::authority_key_identifier(issuer_spki),
                         x509::crl_distribution_point(kCrlUrl),
                         x509::subject_key_identifier(out.spec.subject_spki),
                         x509::key_usage(profile.usage), std::move(profile.constraints)};
  out.key = std::move(key);
  out.signer = signer;
  return out;
}

Bytes field(std::initializer_list<unsigned> suffix, Bytes value) {
  return der_sequence({der_oid(x509::sgx_extension_oid(suffix)), std::move(value)});
}

Bytes tcb_field(const x509::PckExtension& platform) {
  std::vector<Bytes> values;
  for (unsigned i = 0; i < platform.tcb_components.size(); ++i) {
    values.push_back(field({2, i + 1}, x509::der_integer(platform.tcb_components[i])));
  }
  values.push_back(field({2, 17}, x509::der_integer(platform.pce_svn)));
  values.push_back(field({2, 18}, der_octet_string(platform.cpu_svn.view())));
  return field({2}, der_tlv(0x30, concatenate(values)));
}

// Intel PCK profile 1.3.5: dynamic platform, cached keys, SMT enabled.
Bytes configuration_field() {
  const auto boolean = [](std::uint8_t value) { return der_tlv(kTagBoolean, Bytes{value}); };
  return field({7}, der_sequence({field({7, 1}, boolean(0xFF)), field({7, 2}, boolean(0x00)),
                                  field({7, 3}, boolean(0x00))}));
}

}  // namespace

Result<Key> make_key() {
  RATLS_TRY(auto key, crypto::PrivateKey::generate(crypto::KeyType::p256));
  return std::make_shared<const crypto::PrivateKey>(std::move(key));
}

Result<CertificateDraft> draft_root(Key key, Lifetime lifetime) {
  return draft({"Intel SGX Root CA", kSignsCertificates, x509::basic_constraints(true, 1)},
               std::move(key), nullptr, lifetime);
}

Result<CertificateDraft> draft_pck_ca(PckCa kind, Key key, const CertificateDraft& root,
                                      Lifetime lifetime) {
  const char* common_name =
      kind == PckCa::platform ? "Intel SGX PCK Platform CA" : "Intel SGX PCK Processor CA";
  return draft({common_name, kSignsCertificates, x509::basic_constraints(true, 0)}, std::move(key),
               &root, lifetime);
}

Result<CertificateDraft> draft_pck(Key key, const CertificateDraft& pck_ca, Lifetime lifetime) {
  return draft({"Intel SGX PCK Certificate", kSignsData, x509::basic_constraints(false, {})},
               std::move(key), &pck_ca, lifetime);
}

Result<CertificateDraft> draft_tcb_signing(Key key, const CertificateDraft& root,
                                           Lifetime lifetime) {
  return draft({"Intel SGX TCB Signing", kSignsData, x509::basic_constraints(false, {})},
               std::move(key), &root, lifetime);
}

CrlDraft draft_crl(const CertificateDraft& issuer, Lifetime updates, std::uint64_t crl_number) {
  return {.spec = {.issuer = issuer.spec.subject,
                   .this_update = updates.not_before,
                   .next_update = updates.not_after,
                   .crl_number = crl_number,
                   .revoked_serials = {}},
          .signer = issuer.key};
}

Result<Bytes> issue(const CertificateDraft& draft) {
  if (draft.issued) return *draft.issued;
  return x509::build_certificate(draft.spec, *draft.signer);
}

Result<Bytes> issue(const CrlDraft& draft) { return x509::build_crl(draft.spec, *draft.signer); }

std::vector<Bytes> sgx_extension_fields(const x509::PckExtension& platform) {
  const auto sgx_type = static_cast<std::uint8_t>(platform.sgx_type);
  std::vector<Bytes> fields{field({1}, der_octet_string(platform.ppid.view())), tcb_field(platform),
                            field({3}, der_octet_string(platform.pce_id.view())),
                            field({4}, der_octet_string(platform.fmspc.view())),
                            field({5}, der_tlv(kTagEnumerated, Bytes{sgx_type}))};
  if (platform.platform_instance_id) {
    fields.push_back(field({6}, der_octet_string(platform.platform_instance_id->view())));
    fields.push_back(configuration_field());
  }
  return fields;
}

x509::Extension sgx_extension(const std::vector<Bytes>& fields) {
  return {x509::sgx_extension_oid(), false, der_tlv(0x30, concatenate(fields))};
}

}  // namespace ratls::sim
