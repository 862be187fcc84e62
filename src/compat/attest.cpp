// SPDX-License-Identifier: Apache-2.0
#include "compat/attest.h"

namespace ratls::compat {

Result<AttestedCertificate> make_certificate(const std::filesystem::path& dir,
                                             const CertificateDates& dates) {
  RATLS_TRY(QuoteSource source, gramine_quote_source(dir));
  CertificateOptions options;
  options.key = CertificateKey::p384;
  options.any_usage = true;
  RATLS_TRY(const Attester attester, Attester::create(std::move(source), std::move(options)));
  return attester.certify_between(dates.not_before, dates.not_after);
}

}  // namespace ratls::compat
