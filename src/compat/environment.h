// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "policy/rules.h"
#include "ratls/policy.h"
#include "ratls/time.h"

namespace ratls::compat {

/// Variables is what RA_TLS_* said at one moment. Absent: not set. Thread-safety: a value.
struct Variables {
  std::optional<std::string> mr_enclave;
  std::optional<std::string> mr_signer;
  std::optional<std::string> isv_prod_id;
  std::optional<std::string> isv_svn;
  policy::TcbConditions conditions;
  bool allow_debug = false;
};

/// read_variables asks the environment for those of verification. Caller must still: not change the
/// environment meanwhile, as with every getenv().
Variables read_variables();

/// enclave_of reads which enclave the variables name. All four must be set; "any" leaves a field
/// open, but not both measurements. A signer may be without product and version here: the caller
/// completes it. Errors: policy_empty when a variable is missing or nothing is named;
/// malformed_hex, usage.
Result<EnclaveIdentity> enclave_of(const Variables& variables);

/// CertificateDates are those of an attested certificate.
struct CertificateDates {
  UnixTime not_before{};
  UnixTime not_after{};
};

/// read_certificate_dates asks the environment for the dates of a certificate; those that are not
/// set are Gramine's, 2001 and 2030. Errors: config_invalid.
Result<CertificateDates> read_certificate_dates();

/// parse_timestamp reads YYYYMMDDhhmmss in UTC. Errors: config_invalid, with what as the place.
Result<UnixTime> parse_timestamp(std::string_view text, std::string_view what);

}  // namespace ratls::compat
