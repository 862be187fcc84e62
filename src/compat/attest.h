// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "compat/environment.h"
#include "ratls/attester.h"

namespace ratls::compat {

/// make_certificate makes a certificate as Gramine's library does: a key on P-384, both extensions,
/// these dates, no extended key usage, a quote from Gramine's files in dir. Errors:
/// quote_unavailable, internal.
Result<AttestedCertificate> make_certificate(const std::filesystem::path& dir,
                                             const CertificateDates& dates);

}  // namespace ratls::compat
