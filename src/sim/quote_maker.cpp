// SPDX-License-Identifier: Apache-2.0
#include "sim/quote_maker.h"

namespace ratls::sim {
namespace {

void append(Bytes& out, BytesView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_zeros(Bytes& out, std::size_t count) { out.insert(out.end(), count, 0); }

void append_u16(Bytes& out, std::uint64_t value) {
  out.push_back(static_cast<std::uint8_t>(value));
  out.push_back(static_cast<std::uint8_t>(value >> 8));
}

void append_u32(Bytes& out, std::uint64_t value) {
  append_u16(out, value);
  append_u16(out, value >> 16);
}

Bytes write_header(const QuoteHeader& header) {
  Bytes out;
  append_u16(out, header.version);
  append_u16(out, header.attestation_key_type);
  append_u32(out, header.tee_type);
  append_u16(out, header.qe_svn);
  append_u16(out, header.pce_svn);
  append(out, header.qe_vendor_id.view());
  append(out, header.user_data.view());
  return out;
}

void append_certification(Bytes& out, CertificationType type, BytesView body) {
  append_u16(out, static_cast<std::uint16_t>(type));
  append_u32(out, body.size());
  append(out, body);
}

EnclaveReport bound_qe_report(const QuoteSpec& spec, BytesView attestation_key) {
  EnclaveReport report = spec.qe_report;
  if (spec.qe_report_data) {
    report.report_data = *spec.qe_report_data;
    return report;
  }
  const crypto::Sha256 hash = crypto::sha256(attestation_key, spec.qe_auth_data);
  report.report_data = {};
  std::ranges::copy(hash.bytes, report.report_data.bytes.begin());
  return report;
}

Bytes write_qe_report(const QuoteSpec& spec, BytesView attestation_key) {
  Bytes out = write_enclave_report(bound_qe_report(spec, attestation_key));
  if (spec.edit_qe_report) spec.edit_qe_report(out);
  return out;
}

// QE report, its signature, authentication data, certification data of the platform.
Result<Bytes> write_qe_part(const QuoteSpec& spec, BytesView attestation_key) {
  Bytes out = write_qe_report(spec, attestation_key);
  if (spec.qe_report_signature) {
    append(out, *spec.qe_report_signature);
  } else {
    RATLS_TRY(const Bytes signature, spec.qe_report_signer->sign_raw(out));
    append(out, signature);
  }
  append_u16(out, spec.qe_auth_data.size());
  append(out, spec.qe_auth_data);
  append_certification(out, spec.certification.type, spec.certification.body);
  return out;
}

bool is_td15(const TdReport& td) { return td.tee_tcb_svn2 || td.mr_service_td; }

// Since version 5 the body is announced: its type, then its size.
void append_body(Bytes& out, const QuoteSpec& spec) {
  const Bytes body = spec.td ? write_td_report(*spec.td) : write_enclave_report(spec.report);
  if (spec.header.version >= 5) {
    append_u16(out, !spec.td ? 1 : is_td15(*spec.td) ? 3 : 2);
    append_u32(out, body.size());
  }
  append(out, body);
}

}  // namespace

Bytes write_td_report(const TdReport& report) {
  Bytes out;
  append(out, report.tee_tcb_svn.view());
  append(out, report.mr_seam.view());
  append(out, report.mr_signer_seam.view());
  append(out, report.seam_attributes.view());
  append(out, report.td_attributes.view());
  append(out, report.xfam.view());
  append(out, report.mr_td.view());
  append(out, report.mr_config_id.view());
  append(out, report.mr_owner.view());
  append(out, report.mr_owner_config.view());
  for (const Rtmr& rtmr : report.rtmr) append(out, rtmr.view());
  append(out, report.report_data.view());
  if (is_td15(report)) {
    append(out, report.tee_tcb_svn2.value_or(TeeTcbSvn{}).view());
    append(out, report.mr_service_td.value_or(MrServiceTd{}).view());
  }
  return out;
}

void put_report_data(QuoteSpec& spec, const ReportData& report_data) {
  (spec.td ? spec.td->report_data : spec.report.report_data) = report_data;
}

Bytes write_enclave_report(const EnclaveReport& report) {
  Bytes out;
  append(out, report.cpu_svn.view());
  append_u32(out, report.misc_select);
  append_zeros(out, 12);
  append(out, report.isv_ext_prod_id.view());
  append(out, report.attributes.view());
  append(out, report.mr_enclave.view());
  append_zeros(out, 32);
  append(out, report.mr_signer.view());
  append_zeros(out, 32);
  append(out, report.config_id.view());
  append_u16(out, report.isv_prod_id);
  append_u16(out, report.isv_svn);
  append_u16(out, report.config_svn);
  append_zeros(out, 42);
  append(out, report.isv_family_id.view());
  append(out, report.report_data.view());
  return out;
}

Result<void> certify_attestation_key(QuoteSpec& spec) {
  RATLS_TRY(const Bytes attestation_key, spec.attestation_key->public_point());
  const Bytes report = write_qe_report(spec, attestation_key);
  RATLS_TRY(spec.qe_report_signature, spec.qe_report_signer->sign_raw(report));
  return {};
}

Result<Bytes> make_quote(const QuoteSpec& spec) {
  Bytes out = write_header(spec.header);
  append_body(out, spec);
  if (spec.edit_signed_bytes) spec.edit_signed_bytes(out);
  const Key& signer = spec.quote_signer ? spec.quote_signer : spec.attestation_key;
  RATLS_TRY(Bytes auth_data, signer->sign_raw(out));
  RATLS_TRY(const Bytes attestation_key, spec.attestation_key->public_point());
  append(auth_data, attestation_key);
  RATLS_TRY(const Bytes qe_part, write_qe_part(spec, attestation_key));
  if (spec.header.version == 3) {
    append(auth_data, qe_part);
  } else {
    append_certification(auth_data, CertificationType::qe_report, qe_part);
  }
  append_u32(out, auth_data.size());
  append(out, auth_data);
  return out;
}

Result<Bytes> ppid_certification_body(CertificationType type, const x509::PckExtension& platform) {
  Bytes out(platform.ppid.bytes.begin(), platform.ppid.bytes.end());
  if (type != CertificationType::ppid_clear) {
    out.resize(type == CertificationType::ppid_rsa2048 ? 256 : 384);
    RATLS_CHECK(crypto::fill_random(out));
  }
  append(out, platform.cpu_svn.view());
  append_u16(out, platform.pce_svn);
  append(out, platform.pce_id.view());
  return out;
}

}  // namespace ratls::sim
