// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "ratls/quote.h"
#include "sim/pki.h"

namespace ratls::sim {

/// Edit changes bytes before they are signed.
using Edit = std::function<void(Bytes&)>;

/// kTeeTypeTdx is QuoteHeader::tee_type of a TDX quote.
inline constexpr std::uint32_t kTeeTypeTdx = 0x81;

/// QuoteSpec is a quote that is still to be signed. By default it is genuine in form; each member
/// may be changed to forge one that is wrong in that point alone.
struct QuoteSpec {
  QuoteHeader header;          ///< version 3, 4 (type 6 outside) or 5 (body descriptor as well)
  EnclaveReport report;        ///< its report_data is what the quote is over
  std::optional<TdReport> td;  ///< the body in place of report; header.tee_type is kTeeTypeTdx then
  EnclaveReport qe_report;     ///< report_data as below
  Bytes qe_auth_data;
  Key attestation_key;                       ///< whose public half the quote carries
  std::optional<ReportData> qe_report_data;  ///< absent: SHA-256(attestation key, auth data), zeros
  CertificationData certification;           ///< body as it is written
  Key quote_signer;                          ///< null: attestation_key
  Key qe_report_signer;                      ///< the PCK key
  std::optional<Bytes> qe_report_signature;  ///< absent: made for each quote
  Edit edit_signed_bytes;                    ///< of header and report
  Edit edit_qe_report;                       ///< of the 384 bytes of the QE report
};

/// put_report_data sets what the quote is over, in whichever body there is.
void put_report_data(QuoteSpec& spec, const ReportData& report_data);

/// certify_attestation_key signs the QE report once, as hardware does for each attestation key, so
/// that all quotes carry the same signature. Errors: internal.
Result<void> certify_attestation_key(QuoteSpec& spec);

/// make_quote writes and signs a quote of version 3, 4 or 5. Errors: internal.
Result<Bytes> make_quote(const QuoteSpec& spec);

/// write_enclave_report is the reverse of parse_enclave_report, reserved bytes zero.
Bytes write_enclave_report(const EnclaveReport& report);

/// write_td_report is the reverse of parse_td_report: 584 bytes, or 648 when one of the fields of
/// TDX 1.5 is there.
Bytes write_td_report(const TdReport& report);

/// ppid_certification_body is the body for types 1 to 3: the PPID in clear text or in the place of
/// its encryption random bytes, which nobody can decrypt; CPUSVN, PCESVN, PCEID. Errors: internal.
Result<Bytes> ppid_certification_body(CertificationType type, const x509::PckExtension& platform);

}  // namespace ratls::sim
