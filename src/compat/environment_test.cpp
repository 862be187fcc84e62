// SPDX-License-Identifier: Apache-2.0
#include "compat/environment.h"

#include <gramine/ra_tls.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace ratls::compat {
namespace {

const std::string kA(64, 'a');
const std::string kB(64, 'B');

Variables variables(const std::string& mr_enclave, const std::string& mr_signer,
                    const std::string& isv_prod_id, const std::string& isv_svn) {
  return {mr_enclave, mr_signer, isv_prod_id, isv_svn, {}, false};
}

Code code_of(const Variables& given) {
  const auto enclave = enclave_of(given);
  return enclave ? Code::ok : enclave.error().code();
}

TEST(EnclaveOfVariables, ReadsAllFour) {
  const auto enclave = enclave_of(variables(kA, kB, "65535", "0"));
  ASSERT_TRUE(enclave.has_value());
  EXPECT_EQ(to_hex(*enclave->mr_enclave), kA);
  EXPECT_EQ(to_hex(*enclave->mr_signer), std::string(64, 'b'));
  EXPECT_EQ(enclave->isv_prod_id, 65535);
  EXPECT_EQ(enclave->min_isv_svn, 0);
}

TEST(EnclaveOfVariables, LeavesOpenWhatIsAny) {
  const auto measured = enclave_of(variables(kA, "any", "any", "any"));
  ASSERT_TRUE(measured.has_value());
  EXPECT_TRUE(measured->mr_enclave);
  EXPECT_FALSE(measured->mr_signer || measured->isv_prod_id || measured->min_isv_svn);
  const auto is_signed = enclave_of(variables("any", kB, "any", "2"));
  ASSERT_TRUE(is_signed.has_value());
  EXPECT_FALSE(is_signed->mr_enclave || is_signed->isv_prod_id);
  EXPECT_EQ(is_signed->min_isv_svn, 2);
}

TEST(EnclaveOfVariables, RefusesWhenNothingIsNamed) {
  EXPECT_EQ(code_of(variables("any", "any", "1", "1")), Code::policy_empty);
  EXPECT_EQ(code_of({}), Code::policy_empty);
}

TEST(EnclaveOfVariables, RefusesAVariableThatIsNotSet) {
  for (const auto field : {&Variables::mr_enclave, &Variables::mr_signer, &Variables::isv_prod_id,
                           &Variables::isv_svn}) {
    Variables given = variables(kA, kB, "1", "1");
    (given.*field).reset();
    EXPECT_EQ(code_of(given), Code::policy_empty);
  }
}

TEST(EnclaveOfVariables, RefusesWhatIsNoMeasurement) {
  for (const std::string& text :
       std::vector<std::string>{"", "ANY", " any", "aa", "0x" + kA, kA + "a", kA + " "}) {
    EXPECT_EQ(code_of(variables(text, kB, "1", "1")), Code::malformed_hex) << text;
    EXPECT_EQ(code_of(variables(kA, text, "1", "1")), Code::malformed_hex) << text;
  }
}

TEST(EnclaveOfVariables, RefusesZeros) {
  const std::string zeros(64, '0');
  EXPECT_EQ(code_of(variables(zeros, kB, "1", "1")), Code::malformed_hex);
  EXPECT_EQ(code_of(variables(kA, zeros, "1", "1")), Code::malformed_hex);
  EXPECT_EQ(code_of(variables(zeros.substr(1) + "1", kB, "1", "1")), Code::ok);
}

TEST(EnclaveOfVariables, RefusesWhatIsNoNumber) {
  for (const std::string text :
       {"", "x", "-1", "+1", "1 ", "0x1", "65536", "99999", "100000", "18446744073709551616"}) {
    EXPECT_EQ(code_of(variables(kA, kB, text, "1")), Code::usage) << text;
    EXPECT_EQ(code_of(variables(kA, kB, "1", text)), Code::usage) << text;
  }
}

TEST(ReadVariables, TakesOnlyOneAsYes) {
  for (const auto& [text, yes] :
       {std::pair("1", true), {"0", false}, {"true", false}, {"11", false}, {"", false}}) {
    ::setenv(RA_TLS_ALLOW_OUTDATED_TCB_INSECURE, text, 1);
    ::setenv(RA_TLS_ALLOW_HW_CONFIG_NEEDED, text, 1);
    ::setenv(RA_TLS_ALLOW_SW_HARDENING_NEEDED, text, 1);
    ::setenv(RA_TLS_ALLOW_DEBUG_ENCLAVE_INSECURE, text, 1);
    const Variables read = read_variables();
    EXPECT_EQ(read.conditions.out_of_date, yes) << text;
    EXPECT_EQ(read.conditions.configuration_needed, yes) << text;
    EXPECT_EQ(read.conditions.sw_hardening_needed, yes) << text;
    EXPECT_EQ(read.allow_debug, yes) << text;
  }
}

TEST(ReadCertificateDates, AreGraminesUnlessSaid) {
  ::unsetenv(RA_TLS_CERT_TIMESTAMP_NOT_BEFORE);
  ::unsetenv(RA_TLS_CERT_TIMESTAMP_NOT_AFTER);
  auto dates = read_certificate_dates();
  ASSERT_TRUE(dates.has_value());
  EXPECT_EQ(format_time(dates->not_before), "2001-01-01T00:00:00Z");
  EXPECT_EQ(format_time(dates->not_after), "2030-12-31T23:59:59Z");
  ::setenv(RA_TLS_CERT_TIMESTAMP_NOT_BEFORE, "20260102030405", 1);
  ::setenv(RA_TLS_CERT_TIMESTAMP_NOT_AFTER, "20260102030406", 1);
  dates = read_certificate_dates();
  ASSERT_TRUE(dates.has_value());
  EXPECT_EQ(format_time(dates->not_before), "2026-01-02T03:04:05Z");
  EXPECT_EQ(format_time(dates->not_after), "2026-01-02T03:04:06Z");
  ::setenv(RA_TLS_CERT_TIMESTAMP_NOT_AFTER, "20260102030405", 1);
  EXPECT_EQ(read_certificate_dates().error().code(), Code::config_invalid);
}

TEST(ParseTimestamp, RefusesOtherForms) {
  for (const std::string_view text :
       {"", "2026010203040", "202601020304056", "2026-01-02T03:0", "20261302030405",
        "20260230000000", "20260102240000", "19691231235959", "2026010203040x", "+2026010203040"}) {
    const auto time = parse_timestamp(text, "when");
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_EQ(time.error().code(), Code::config_invalid);
    EXPECT_EQ(time.error().where(), "when");
  }
}

}  // namespace
}  // namespace ratls::compat
