// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ratls/bytes.h"
#include "ratls/tcb.h"
#include "ratls/time.h"

namespace ratls::tcb {

/// QeTcbLevel is one row of a QE identity: reached by an isv_svn that is at least the level's.
struct QeTcbLevel {
  std::uint16_t isv_svn = 0;
  TcbStatus status = TcbStatus::not_supported;  ///< up_to_date, out_of_date or revoked
  UnixTime date{};
  std::vector<std::string> advisories;
};

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
  std::vector<QeTcbLevel> levels;  ///< at least one
};

/// parse_qe_identity reads the JSON text of the member enclaveIdentity, as strictly as
/// parse_tcb_info. Caller must still: have checked the signature over exactly these bytes first.
/// Errors: qe_identity_malformed.
Result<QeIdentity> parse_qe_identity(std::string_view json);

/// match_level gives the first level that isv_svn reaches; null when none does.
const QeTcbLevel* match_level(const QeIdentity& identity, std::uint16_t isv_svn) noexcept;

/// converge joins the platform's status with the QE's as Intel's library does
/// (QuoteVerification, TcbLevelCheck): an outdated QE turns UpToDate and SWHardeningNeeded into
/// OutOfDate, and the Configuration statuses into OutOfDateConfigurationNeeded; Revoked and
/// NotSupported win.
TcbStatus converge(TcbStatus platform, TcbStatus qe) noexcept;

}  // namespace ratls::tcb
