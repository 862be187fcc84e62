// SPDX-License-Identifier: Apache-2.0
#include "base/reader.h"
#include "ratls/quote.h"

namespace ratls {

std::string_view to_string(Tee tee) noexcept {
  switch (tee) {
    case Tee::sgx:
      return "sgx";
    case Tee::tdx:
      return "tdx";
  }
  return "unknown";
}

std::uint64_t attribute_flags(const SgxAttributes& attributes) noexcept {
  std::uint64_t flags = 0;
  for (std::size_t i = 8; i > 0; --i) flags = flags << 8 | attributes.bytes[i - 1];
  return flags;
}

// Reserved fields are not demanded to be zero: they are signed, and Intel may give them a meaning.
Result<EnclaveReport> parse_enclave_report(BytesView bytes) {
  Reader reader(bytes, Code::quote_malformed);
  EnclaveReport report;
  RATLS_TRY(report.cpu_svn, reader.fixed<CpuSvn>("report.cpu_svn"));
  RATLS_TRY(report.misc_select, reader.u32le("report.misc_select"));
  RATLS_CHECK(reader.bytes("report.reserved1", 12));
  RATLS_TRY(report.isv_ext_prod_id, reader.fixed<IsvExtProdId>("report.isv_ext_prod_id"));
  RATLS_TRY(report.attributes, reader.fixed<SgxAttributes>("report.attributes"));
  RATLS_TRY(report.mr_enclave, reader.fixed<MrEnclave>("report.mr_enclave"));
  RATLS_CHECK(reader.bytes("report.reserved2", 32));
  RATLS_TRY(report.mr_signer, reader.fixed<MrSigner>("report.mr_signer"));
  RATLS_CHECK(reader.bytes("report.reserved3", 32));
  RATLS_TRY(report.config_id, reader.fixed<ConfigId>("report.config_id"));
  RATLS_TRY(report.isv_prod_id, reader.u16le("report.isv_prod_id"));
  RATLS_TRY(report.isv_svn, reader.u16le("report.isv_svn"));
  RATLS_TRY(report.config_svn, reader.u16le("report.config_svn"));
  RATLS_CHECK(reader.bytes("report.reserved4", 42));
  RATLS_TRY(report.isv_family_id, reader.fixed<IsvFamilyId>("report.isv_family_id"));
  RATLS_TRY(report.report_data, reader.fixed<ReportData>("report.report_data"));
  RATLS_CHECK(reader.end("report"));
  return report;
}

}  // namespace ratls
