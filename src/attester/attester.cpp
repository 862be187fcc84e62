// SPDX-License-Identifier: Apache-2.0
#include "ratls/attester.h"

#include "attester/attested_certificate.h"
#include "attester/fresh_quote.h"
#include "attester/names.h"
#include "evidence/evidence.h"
#include "x509/builder.h"

namespace ratls {
namespace {

using std::chrono::seconds;

// For peers whose clock is slow; part of the lifetime.
constexpr seconds kBackdating = std::chrono::minutes(5);
constexpr seconds kMinLifetime = std::chrono::minutes(10);
constexpr seconds kMaxLifetime = std::chrono::days(89);
constexpr std::uint16_t kDigitalSignature = 1U << 0;
// Gramine's verifier takes extensions of 256 to 8192 bytes (ra_tls_verify_common.c).
constexpr std::size_t kMinExtension = 256;
constexpr std::size_t kMaxExtension = 8192;

Result<Bytes> quote_over(const QuoteSource& source, const ReportData& report_data) {
  RATLS_TRY(Bytes quote, source(report_data));
  return fresh_quote(std::move(quote), report_data);
}

Result<x509::Extension> evidence_extension(BytesView oid, Bytes value) {
  if (value.size() < kMinExtension || value.size() > kMaxExtension) {
    return Error(Code::quote_unavailable, "quote",
                 "evidence of " + std::to_string(value.size()) +
                     " bytes does not fit into a certificate, 256 to 8192 do");
  }
  return x509::Extension{x509::Oid(oid.begin(), oid.end()), false, std::move(value)};
}

Result<Bytes> dice_over(const QuoteSource& source, BytesView claims) {
  RATLS_TRY(const Bytes quote, quote_over(source, evidence::report_data_for(claims)));
  return evidence::write_dice(quote, claims);
}

Result<x509::Extension> legacy_extension(const QuoteSource& source, BytesView spki) {
  RATLS_TRY(Bytes quote, quote_over(source, evidence::report_data_for(spki)));
  return evidence_extension(evidence::gramine_legacy_oid(), std::move(quote));
}

// RFC 5280 4.1.2.2: positive, and unique, which 126 random bits are.
Result<Bytes> random_serial() {
  Bytes serial(16);
  RATLS_CHECK(crypto::fill_random(serial));
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);
  return serial;
}

Result<std::vector<x509::Extension>> make_extensions(const QuoteSource& source,
                                                     const CertificateOptions& options,
                                                     BytesView spki, UnixTime not_after) {
  RATLS_TRY(const auto names, certificate_names(options.names));
  std::vector<x509::Extension> extensions{x509::basic_constraints(false, std::nullopt),
                                          x509::key_usage(kDigitalSignature)};
  if (!options.any_usage) extensions.push_back(x509::server_auth());
  extensions.push_back(x509::subject_alt_names(names));
  RATLS_TRY(Bytes evidence, dice_over(source, evidence::write_claims(spki, not_after)));
  RATLS_TRY(auto dice, evidence_extension(evidence::dice_oid(), std::move(evidence)));
  extensions.push_back(std::move(dice));
  if (options.legacy_extension) {
    RATLS_TRY(auto legacy, legacy_extension(source, spki));
    extensions.push_back(std::move(legacy));
  }
  return extensions;
}

// What a client would read first: better an error here than at every client.
Result<void> check_made_certificate(BytesView der) {
  const auto check = [&]() -> Result<void> {
    RATLS_TRY(const auto certificate, x509::parse_certificate(der, Code::internal));
    RATLS_TRY(const auto evidence, evidence::read_evidence(certificate));
    return evidence::check_binding(evidence, certificate);
  };
  const auto checked = check();
  if (checked) return {};
  return Error(Code::internal, checked.error().where(),
               "the certificate that was made is not readable: " + checked.error().message());
}

Result<Bytes> sign(x509::CertificateSpec spec, const crypto::PrivateKey& key) {
  RATLS_TRY(spec.serial, random_serial());
  RATLS_TRY(Bytes der, x509::build_certificate(spec, key));
  if (der.size() > x509::kMaxCertificateSize) {
    return Error(Code::config_invalid, "certificate",
                 std::to_string(der.size()) + " bytes, clients take 65536");
  }
  RATLS_CHECK(check_made_certificate(der));
  return der;
}

}  // namespace

AttestedCertificate::AttestedCertificate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AttestedCertificate::AttestedCertificate(AttestedCertificate&&) noexcept = default;
AttestedCertificate& AttestedCertificate::operator=(AttestedCertificate&&) noexcept = default;
AttestedCertificate::~AttestedCertificate() = default;

const Bytes& AttestedCertificate::certificate_der() const noexcept {
  return impl_->certificate_der;
}

std::string AttestedCertificate::certificate_pem() const {
  return x509::to_pem(impl_->certificate_der, "CERTIFICATE");
}

Result<Bytes> AttestedCertificate::key_pem() const { return impl_->key.to_pem(); }
Result<Bytes> AttestedCertificate::key_der() const { return impl_->key.to_der(); }
Result<Bytes> AttestedCertificate::key_sec1_der() const { return impl_->key.to_sec1_der(); }
UnixTime AttestedCertificate::not_after() const noexcept { return impl_->spec.not_after; }

Result<void> AttestedCertificate::endorse(BytesView endorsements) {
  x509::CertificateSpec spec = impl_->spec;
  // Behind the evidence: Gramine takes the first place where it finds an identifier's bytes.
  if (!endorsements.empty()) {
    const BytesView oid = evidence::endorsements_oid();
    spec.extensions.push_back({x509::Oid(oid.begin(), oid.end()), false,
                               Bytes(endorsements.begin(), endorsements.end())});
  }
  RATLS_TRY(impl_->certificate_der, sign(std::move(spec), impl_->key));
  return {};
}

Result<void> check_certificate_options(const CertificateOptions& options) {
  if (options.lifetime < kMinLifetime || options.lifetime > kMaxLifetime) {
    return Error(Code::config_invalid, "lifetime",
                 format_duration(options.lifetime) + ", " + format_duration(kMinLifetime) + " to " +
                     format_duration(kMaxLifetime) + " are possible");
  }
  RATLS_CHECK(certificate_names(options.names));
  return {};
}

Result<Attester> Attester::create(QuoteSource source, CertificateOptions options) {
  if (!source) return Error(Code::config_invalid, "quote source", "there is none");
  RATLS_CHECK(check_certificate_options(options));
  return Attester(std::move(source), std::move(options));
}

Result<AttestedCertificate> Attester::certify(UnixTime now) const {
  const UnixTime not_before = now - kBackdating;
  return certify_between(not_before, not_before + options_.lifetime);
}

Result<AttestedCertificate> Attester::certify_between(UnixTime not_before,
                                                      UnixTime not_after) const {
  const auto type =
      options_.key == CertificateKey::p384 ? crypto::KeyType::p384 : crypto::KeyType::p256;
  RATLS_TRY(auto key, crypto::PrivateKey::generate(type));
  x509::CertificateSpec spec;
  spec.subject = {{"CN", "ratls"}};
  spec.issuer = spec.subject;
  spec.not_before = not_before;
  spec.not_after = not_after;
  RATLS_TRY(spec.subject_spki, key.spki_der());
  RATLS_TRY(spec.extensions, make_extensions(source_, options_, spec.subject_spki, spec.not_after));
  RATLS_TRY(Bytes der, sign(spec, key));
  return AttestedCertificate(std::make_unique<AttestedCertificate::Impl>(
      AttestedCertificate::Impl{std::move(key), std::move(spec), std::move(der)}));
}

Result<Bytes> Attester::attest_session(const SessionBinding& binding) const {
  return dice_over(source_,
                   evidence::write_claims(binding.spki_der, binding.not_after, binding.exporter));
}

}  // namespace ratls
