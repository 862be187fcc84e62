// SPDX-License-Identifier: Apache-2.0
#include "compat/results.h"

#include <cstdio>

#include "base/text.h"

namespace ratls::compat {
namespace {

// mbedTLS 3: x509.h, pk.h.
constexpr int kInvalidFormat = -0x2180;
constexpr int kInvalidExtensions = -0x2500;
constexpr int kSignatureMismatch = -0x2680;
constexpr int kVerifyFailed = -0x2700;
constexpr int kBadInput = -0x2800;
constexpr int kFileError = -0x2900;
constexpr int kFatal = -0x3000;
constexpr int kKeyBadInput = -0x3e80;

// Intel's sgx_ql_qv_result_t and quote3_error_t.
constexpr int kQvOk = 0;
constexpr int kQvConfigurationNeeded = 0xa001;
constexpr int kQvOutOfDate = 0xa002;
constexpr int kQvOutOfDateConfigurationNeeded = 0xa003;
constexpr int kQvInvalidSignature = 0xa004;
constexpr int kQvRevoked = 0xa005;
constexpr int kQvUnspecified = 0xa006;
constexpr int kQvSwHardeningNeeded = 0xa007;
constexpr int kQvConfigurationAndSwHardeningNeeded = 0xa008;
constexpr int kQlUnexpected = 0xe001;
constexpr int kQlNetwork = 0xe019;

int verification_result(TcbStatus status) {
  switch (status) {
    case TcbStatus::up_to_date:
      return kQvOk;
    case TcbStatus::sw_hardening_needed:
      return kQvSwHardeningNeeded;
    case TcbStatus::configuration_needed:
      return kQvConfigurationNeeded;
    case TcbStatus::configuration_and_sw_hardening_needed:
      return kQvConfigurationAndSwHardeningNeeded;
    case TcbStatus::out_of_date:
      return kQvOutOfDate;
    case TcbStatus::out_of_date_configuration_needed:
      return kQvOutOfDateConfigurationNeeded;
    case TcbStatus::revoked:
      return kQvRevoked;
    default:
      return kQvUnspecified;  // those of TDX, NotSupported
  }
}

ra_tls_dcap_results dcap_results(const Judgement& judgement) {
  if (judgement.tcb_status) return {0, verification_result(*judgement.tcb_status)};
  const Code code = judgement.refusal ? judgement.refusal->code() : Code::ok;
  if (code == Code::quote_untrusted) return {0, kQvInvalidSignature};
  if (code == Code::certificate_revoked) return {0, kQvRevoked};
  return {exit_code(code) == 8 ? kQlNetwork : kQlUnexpected, kQvUnspecified};
}

}  // namespace

ra_tls_err_loc_t step_of(Code code) noexcept {
  switch (code) {
    case Code::evidence_missing:
    case Code::certificate_malformed:
    case Code::evidence_malformed:
    case Code::evidence_duplicate:
    case Code::evidence_conflict:
    case Code::key_unsupported:
    case Code::certificate_unbound:
    case Code::certificate_untrusted:
    case Code::certificate_expired:
    case Code::certificate_lifetime:
    case Code::certificate_usage:
      return AT_EXTRACT_QUOTE;
    case Code::enclave_debug:
    case Code::enclave_attributes:
      return AT_VERIFY_ENCLAVE_ATTRS;
    case Code::identity_mismatch:
      return AT_VERIFY_ENCLAVE_MEASUREMENTS;
    default:
      return exit_code(code) == 2 || exit_code(code) == 9 ? AT_INIT : AT_VERIFY_EXTERNAL;
  }
}

int return_value(Code code) noexcept {
  switch (code) {
    case Code::ok:
      return 0;
    case Code::certificate_malformed:
      return kInvalidFormat;
    case Code::evidence_missing:
    case Code::evidence_malformed:
    case Code::evidence_duplicate:
    case Code::evidence_conflict:
      return kInvalidExtensions;
    case Code::certificate_unbound:
      return kSignatureMismatch;
    case Code::key_unsupported:
      return kKeyBadInput;
    case Code::config_invalid:
      return kBadInput;
    case Code::quote_unavailable:
      return kFileError;
    // The policy of RA_TLS_*.
    case Code::usage:
    case Code::policy_empty:
    case Code::malformed_hex:
      return kVerifyFailed;
    default:
      return exit_code(code) == 2 || exit_code(code) == 9 ? kFatal : kVerifyFailed;
  }
}

void fill_results(const Judgement& judgement, ra_tls_verify_callback_results& results) noexcept {
  results.misc = {};  // the whole union
  results.attestation_scheme = RA_TLS_ATTESTATION_SCHEME_DCAP;
  results.err_loc = judgement.step;
  results.dcap = dcap_results(judgement);
}

// Called where nothing may be thrown into C.
void print_refusal(const Error& error) noexcept {
  try {
    std::string text = "error: " + printable(error.message()) + "\n";
    if (!error.where().empty()) text += "where: " + printable(error.where()) + "\n";
    text += "hint:  " + std::string(error.hint()) + "\n";
    std::fwrite(text.data(), 1, text.size(), stderr);
  } catch (...) {
    std::fputs("error: no memory for the text of the error\n", stderr);
  }
}

}  // namespace ratls::compat
