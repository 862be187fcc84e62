// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ratls/quote.h"
#include "ratls/session.h"
#include "ratls/time.h"

namespace ratls {

/// QuoteSource makes a quote over 64 bytes of report data. Blocks: tens of milliseconds on
/// hardware. Thread-safety: may be called from any thread. Errors: quote_unavailable.
using QuoteSource = std::function<Result<Bytes>(const ReportData&)>;

/// gramine_quote_source uses Gramine's pseudo files in dir (attestation_type, user_report_data,
/// quote), writing and reading under one lock for the whole process, because Gramine keeps one
/// value per process. Errors: quote_unavailable when dir offers no DCAP attestation.
Result<QuoteSource> gramine_quote_source(const std::filesystem::path& dir = "/dev/attestation");

/// tdx_quote_source uses Linux's configfs-tsm (Documentation/ABI/testing/configfs-tsm-report): for
/// each quote it makes a folder of its own in dir and removes it again.
/// Errors: quote_unavailable when dir is not there.
Result<QuoteSource> tdx_quote_source(
    const std::filesystem::path& dir = "/sys/kernel/config/tsm/report");

/// auto_quote_source uses the first that is there: Gramine's files, then configfs-tsm. It never
/// takes a simulated platform. Errors: quote_unavailable.
Result<QuoteSource> auto_quote_source(
    const std::filesystem::path& gramine_dir = "/dev/attestation",
    const std::filesystem::path& tdx_dir = "/sys/kernel/config/tsm/report");

/// CertificateKey is the type of the attested TLS key.
enum class CertificateKey { p256, p384 };

/// CertificateOptions says how an attested certificate is made.
struct CertificateOptions {
  CertificateKey key = CertificateKey::p256;
  std::chrono::seconds lifetime =
      std::chrono::hours(24);      ///< 10 minutes to 89 days, backdating included
  std::vector<std::string> names;  ///< DNS names and IP addresses beside localhost, 127.0.0.1, ::1
  bool legacy_extension = true;    ///< also write Gramine's older format
  bool any_usage = false;  ///< no extended key usage, as Gramine's certificates: for clients too

  bool operator==(const CertificateOptions&) const = default;
};

/// check_certificate_options says what is wrong with them. Errors: config_invalid for a lifetime
/// out of range or a name that cannot be in a certificate.
Result<void> check_certificate_options(const CertificateOptions& options);

/// AttestedCertificate is a fresh key with a self-signed certificate that carries the quote. The
/// key is wiped with the object. Move-only.
class AttestedCertificate {
 public:
  AttestedCertificate(AttestedCertificate&&) noexcept;
  AttestedCertificate& operator=(AttestedCertificate&&) noexcept;
  ~AttestedCertificate();

  const Bytes& certificate_der() const noexcept;
  std::string certificate_pem() const;  ///< label CERTIFICATE
  /// key_pem (PKCS#8, label PRIVATE KEY) and key_der are secrets: the caller wipes them.
  Result<Bytes> key_pem() const;
  Result<Bytes> key_der() const;
  /// key_sec1_der is the key as an ECPrivateKey (RFC 5915), which Gramine's callers read.
  Result<Bytes> key_sec1_der() const;
  UnixTime not_after() const noexcept;

  /// endorse signs the certificate anew, with the same key, quotes and dates and another serial
  /// number, to bring this collateral (format_endorsements of ratls/collateral.h); with none, to
  /// bring no more. Asks for no quote. Errors: internal; config_invalid when what comes out would
  /// be larger than 64 KiB. The certificate then stays as it was.
  Result<void> endorse(BytesView endorsements);

  struct Impl;  // src/attester/attested_certificate.h, for src/tls
  const Impl& impl() const noexcept { return *impl_; }

 private:
  friend class Attester;
  explicit AttestedCertificate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Attester makes attested certificates. Thread-safety: any thread.
class Attester {
 public:
  /// Errors: those of check_certificate_options.
  static Result<Attester> create(QuoteSource source, CertificateOptions options);

  /// certify makes a new key, asks for quotes and signs the certificate; valid from now minus
  /// 5 minutes. Blocks: as the source does. Errors: quote_unavailable, internal.
  Result<AttestedCertificate> certify(UnixTime now) const;
  /// certify_between makes a certificate with these dates in place of the lifetime, however far
  /// apart. Caller must still: see that they are in order.
  Result<AttestedCertificate> certify_between(UnixTime not_before, UnixTime not_after) const;

  /// attest_session makes evidence for one TLS session (docs/session-evidence.md): DICE evidence
  /// whose claims name the session. Caller must still: bind it to a session of their own only.
  /// Blocks: as the source does. Errors: quote_unavailable.
  Result<Bytes> attest_session(const SessionBinding& binding) const;

 private:
  Attester(QuoteSource source, CertificateOptions options)
      : source_(std::move(source)), options_(std::move(options)) {}
  QuoteSource source_;
  CertificateOptions options_;
};

}  // namespace ratls
