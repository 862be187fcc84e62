// SPDX-License-Identifier: Apache-2.0
#include "verifier/steps.h"

namespace ratls::verifier {
namespace {

bool all_zero(BytesView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// Step I: the QE report vouches for the attestation key. Intel compares the first half only; the
// rest of genuine reports is zero, and anything else was not written by Intel's QE.
Result<void> check_key_binding(const QuoteSignature& signature) {
  const BytesView report_data = signature.qe_report.report_data.view();
  const crypto::Sha256 expected =
      crypto::sha256(signature.attestation_key.view(), signature.qe_auth_data);
  if (!std::ranges::equal(report_data.first(32), expected.bytes)) {
    return Error(Code::attestation_key_unbound, "qe_report.report_data",
                 "it is not the hash of attestation key and QE authentication data");
  }
  if (!all_zero(report_data.subspan(32))) {
    return Error(Code::attestation_key_unbound, "qe_report.report_data[32..63]",
                 "these bytes must be zero");
  }
  return {};
}

// Step J without the TCB level (Intel QVL, EnclaveReportVerifier).
Result<void> check_qe(const EnclaveReport& report, const tcb::QeIdentity& identity) {
  const auto differs = [](std::string_view field, const std::string& got,
                          const std::string& wanted) {
    return Error(Code::qe_identity_mismatch, "qe_report." + std::string(field),
                 "got " + got + ", published is " + wanted);
  };
  if ((report.misc_select & identity.misc_select_mask) != identity.misc_select) {
    return differs("misc_select", std::to_string(report.misc_select),
                   std::to_string(identity.misc_select));
  }
  for (std::size_t i = 0; i < report.attributes.bytes.size(); ++i) {
    const std::uint8_t mask = identity.attributes_mask.bytes[i];
    if ((report.attributes.bytes[i] & mask) != identity.attributes.bytes[i]) {
      return differs("attributes", to_hex(report.attributes), to_hex(identity.attributes));
    }
  }
  if (!std::ranges::equal(report.mr_signer.bytes, identity.mr_signer.bytes)) {
    return differs("mr_signer", to_hex(report.mr_signer), to_hex(identity.mr_signer));
  }
  if (report.isv_prod_id != identity.isv_prod_id) {
    return differs("isv_prod_id", std::to_string(report.isv_prod_id),
                   std::to_string(identity.isv_prod_id));
  }
  return {};
}

// Step H.
Result<void> check_qe_report(const QuoteSignature& signature, const PckChain& chain,
                             const Trust& trust) {
  if (!trust.verify(chain.leaf_key, signature.qe_report_bytes,
                    signature.qe_report_signature.view())) {
    return Error(Code::qe_report_untrusted, "qe_report.signature",
                 "not signed by the PCK key of the platform");
  }
  return {};
}

// Step K.
Result<void> check_signature(const Quote& quote) {
  const QuoteSignature& signature = quote.signature;
  auto attestation_key = crypto::P256PublicKey::from_point(signature.attestation_key.view());
  if (!attestation_key) {
    return Error(Code::quote_untrusted, "quote.attestation_key", attestation_key.error().detail());
  }
  if (!attestation_key->verify(quote.signed_bytes, signature.signature.view())) {
    return Error(Code::quote_untrusted, "quote.signature", "not signed by the attestation key");
  }
  return {};
}

}  // namespace

Result<void> check_quote(const Quote& quote, const PckChain& chain, const tcb::QeIdentity& identity,
                         const Trust& trust, Report& report, const StepListener& on_step) {
  const QuoteSignature& signature = quote.signature;
  RATLS_CHECK(told(on_step, {.letters = "H", .what = "QE report", .detail = ""},
                   [&] { return check_qe_report(signature, chain, trust); }));
  RATLS_CHECK(told(on_step, {.letters = "I", .what = "attestation key", .detail = ""},
                   [&] { return check_key_binding(signature); }));
  RATLS_CHECK(told(on_step, {.letters = "J", .what = "quoting enclave", .detail = ""},
                   [&] { return check_qe(signature.qe_report, identity); }));
  RATLS_CHECK(told(on_step, {.letters = "K", .what = "quote signature", .detail = ""},
                   [&] { return check_signature(quote); }));
  report.authenticated = true;
  if (quote.enclave() != nullptr) report.enclave = *quote.enclave();
  if (quote.td() != nullptr) report.td = *quote.td();
  return {};
}

}  // namespace ratls::verifier
