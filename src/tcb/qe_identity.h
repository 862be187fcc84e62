// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ratls/bytes.h"
#include "ratls/tcb.h"
#include "ratls/time.h"
#include "tcb/svn_level.h"

namespace ratls::tcb {

/// QeIdentity is Intel's description of its quoting enclave (PCS API v4, "Enclave Identity",
/// version 2). Masked values: what is reported, and-ed with the mask, must equal the value.
struct QeIdentity {
  enum class Id { qe, td_qe, qve };
  Id id = Id::qe;
  int version = 0;
  UnixTime issue_date{};
  UnixTime next_update{};
  std::uint32_t evaluation_number = 0;
  std::uint32_t misc_select = 0;
  std::uint32_t misc_select_mask = 0;
  FixedBytes<16, struct QeAttributesTag> attributes;
  FixedBytes<16, struct QeAttributesTag> attributes_mask;
  FixedBytes<32, struct QeSignerTag> mr_signer;
  std::uint16_t isv_prod_id = 0;
  std::vector<SvnLevel> levels;  ///< at least one
};

/// parse_qe_identity reads the JSON text of the member enclaveIdentity, as strictly as
/// parse_tcb_info. Caller must still: have checked the signature over exactly these bytes first.
/// Errors: qe_identity_malformed.
Result<QeIdentity> parse_qe_identity(std::string_view json);

/// converge joins the platform's status with that of its quoting enclave or TDX module as Intel's
/// library does (QuoteVerification, EvaluateTcb): an outdated one turns UpToDate and
/// SWHardeningNeeded into OutOfDate, and the Configuration statuses into
/// OutOfDateConfigurationNeeded; Revoked and NotSupported win.
TcbStatus converge(TcbStatus platform, TcbStatus component) noexcept;

/// relaunch_status is the status of a TD on a platform of TDX 1.5 (Intel QVL, TDRelaunchCheck):
/// launched is that of the TDX module at its launch, current that of the one that runs now. A TD
/// that is outdated only because it was launched before an update is TDRelaunchAdvised.
TcbStatus relaunch_status(TcbStatus launched, TcbStatus current) noexcept;

}  // namespace ratls::tcb
