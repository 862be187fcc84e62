// SPDX-License-Identifier: Apache-2.0
#include "compat/environment.h"

#include <gramine/ra_tls.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"

namespace ratls::compat {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

bool is_one(const char* name) { return variable(name) == "1"; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Gramine reads what no number is as 0, and cuts 65537 to 1.
Result<std::uint16_t> parse_number(const std::string& text, const char* name) {
  const bool digits = !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit);
  const unsigned long value = digits ? std::stoul(text) : 65536;
  if (value <= 65535) return static_cast<std::uint16_t>(value);
  return Error(Code::usage, name,
               "a number from 0 to 65535 or any is needed, got \"" + printable(text) + "\"");
}

template <class Fixed>
Result<Fixed> parse_measurement(const std::string& text, const char* name) {
  RATLS_TRY(const Fixed measurement, parse_fixed_hex<Fixed>(text, name));
  // No SHA-256 is zero: a template that was not filled in.
  if (measurement != Fixed{}) return measurement;
  return Error(Code::malformed_hex, name, "all zeros, which no enclave and no signer has");
}

// A variable that is set; nothing for "any".
template <class Field, class Parse>
Result<void> read_to(const std::optional<std::string>& value, const char* name, Parse parse,
                     std::optional<Field>& out) {
  if (!value) {
    return Error(Code::policy_empty, name, "the variable is not set; \"any\" has to be written");
  }
  if (*value == "any") return {};
  RATLS_TRY(out, parse(*value, name));
  return {};
}

}  // namespace

Variables read_variables() {
  Variables variables;
  variables.mr_enclave = variable(RA_TLS_MRENCLAVE);
  variables.mr_signer = variable(RA_TLS_MRSIGNER);
  variables.isv_prod_id = variable(RA_TLS_ISV_PROD_ID);
  variables.isv_svn = variable(RA_TLS_ISV_SVN);
  variables.conditions.out_of_date = is_one(RA_TLS_ALLOW_OUTDATED_TCB_INSECURE);
  variables.conditions.configuration_needed = is_one(RA_TLS_ALLOW_HW_CONFIG_NEEDED);
  variables.conditions.sw_hardening_needed = is_one(RA_TLS_ALLOW_SW_HARDENING_NEEDED);
  variables.allow_debug = is_one(RA_TLS_ALLOW_DEBUG_ENCLAVE_INSECURE);
  return variables;
}

Result<EnclaveIdentity> enclave_of(const Variables& variables) {
  EnclaveIdentity enclave;
  enclave.name = "RA_TLS_*";
  RATLS_CHECK(read_to(variables.mr_enclave, RA_TLS_MRENCLAVE, parse_measurement<MrEnclave>,
                      enclave.mr_enclave));
  RATLS_CHECK(read_to(variables.mr_signer, RA_TLS_MRSIGNER, parse_measurement<MrSigner>,
                      enclave.mr_signer));
  RATLS_CHECK(
      read_to(variables.isv_prod_id, RA_TLS_ISV_PROD_ID, parse_number, enclave.isv_prod_id));
  RATLS_CHECK(read_to(variables.isv_svn, RA_TLS_ISV_SVN, parse_number, enclave.min_isv_svn));
  if (enclave.mr_enclave || enclave.mr_signer) return enclave;
  return Error(Code::policy_empty, RA_TLS_MRENCLAVE " and " RA_TLS_MRSIGNER,
               "both are \"any\", which would accept every enclave");
}

Result<UnixTime> parse_timestamp(std::string_view text, std::string_view what) {
  const auto wrong = [&] {
    return Error(
        Code::config_invalid, std::string(what),
        "a time YYYYMMDDhhmmss from 1970 to 9999 is needed, got \"" + printable(text) + "\"");
  };
  if (text.size() != 14 || !std::ranges::all_of(text, is_digit)) return wrong();
  std::string written(text);
  for (const auto& [at, sign] : {std::pair(12, ":"), {10, ":"}, {8, "T"}, {6, "-"}, {4, "-"}}) {
    written.insert(static_cast<std::size_t>(at), sign);
  }
  const auto time = parse_time(written + "Z", what);
  if (!time) return wrong();
  return *time;
}

Result<CertificateDates> read_certificate_dates() {
  const auto read = [](const char* name, const char* otherwise) {
    return parse_timestamp(variable(name).value_or(otherwise), name);
  };
  CertificateDates dates;
  RATLS_TRY(dates.not_before, read(RA_TLS_CERT_TIMESTAMP_NOT_BEFORE, "20010101000000"));
  RATLS_TRY(dates.not_after, read(RA_TLS_CERT_TIMESTAMP_NOT_AFTER, "20301231235959"));
  if (dates.not_before < dates.not_after) return dates;
  return Error(Code::config_invalid, RA_TLS_CERT_TIMESTAMP_NOT_AFTER,
               "the certificate would end before it begins");
}

}  // namespace ratls::compat
