// SPDX-License-Identifier: Apache-2.0
#include "base/reader.h"
#include "ratls/quote.h"

namespace ratls {

std::uint64_t attribute_bits(const TdAttributes& attributes) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = attributes.bytes.size(); i > 0; --i)
    bits = bits << 8 | attributes.bytes[i - 1];
  return bits;
}

// Intel TDX DCAP quote library reference, A.3.2 (TDX 1.0) and A.3.3 (TDX 1.5).
Result<TdReport> parse_td_report(BytesView bytes) {
  Reader reader(bytes, Code::quote_malformed);
  TdReport report;
  RATLS_TRY(report.tee_tcb_svn, reader.fixed<TeeTcbSvn>("report.tee_tcb_svn"));
  RATLS_TRY(report.mr_seam, reader.fixed<MrSeam>("report.mr_seam"));
  RATLS_TRY(report.mr_signer_seam, reader.fixed<MrSignerSeam>("report.mr_signer_seam"));
  RATLS_TRY(report.seam_attributes, reader.fixed<SeamAttributes>("report.seam_attributes"));
  RATLS_TRY(report.td_attributes, reader.fixed<TdAttributes>("report.td_attributes"));
  RATLS_TRY(report.xfam, reader.fixed<Xfam>("report.xfam"));
  RATLS_TRY(report.mr_td, reader.fixed<MrTd>("report.mr_td"));
  RATLS_TRY(report.mr_config_id, reader.fixed<MrConfigId>("report.mr_config_id"));
  RATLS_TRY(report.mr_owner, reader.fixed<MrOwner>("report.mr_owner"));
  RATLS_TRY(report.mr_owner_config, reader.fixed<MrOwnerConfig>("report.mr_owner_config"));
  for (Rtmr& rtmr : report.rtmr) {
    RATLS_TRY(rtmr, reader.fixed<Rtmr>("report.rtmr"));
  }
  RATLS_TRY(report.report_data, reader.fixed<ReportData>("report.report_data"));
  if (bytes.size() == TdReport::kSize15) {
    RATLS_TRY(report.tee_tcb_svn2, reader.fixed<TeeTcbSvn>("report.tee_tcb_svn2"));
    RATLS_TRY(report.mr_service_td, reader.fixed<MrServiceTd>("report.mr_service_td"));
  }
  RATLS_CHECK(reader.end("report"));
  return report;
}

}  // namespace ratls
