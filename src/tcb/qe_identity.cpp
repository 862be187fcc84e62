// SPDX-License-Identifier: Apache-2.0
#include "tcb/qe_identity.h"

#include <limits>

namespace ratls::tcb {
namespace {

constexpr Code kMalformed = Code::qe_identity_malformed;

using MiscSelect = FixedBytes<4, struct MiscSelectTag>;

// The hex digits are the bytes as they stand in the report, where the number is little endian.
Result<std::uint32_t> parse_misc_select(const Members& members, std::string_view key) {
  RATLS_TRY(const MiscSelect value, members.hex<MiscSelect>(key));
  std::uint32_t number = 0;
  for (std::size_t i = value.bytes.size(); i > 0; --i) number = number << 8 | value.bytes[i - 1];
  return number;
}

Result<QeIdentity::Id> parse_id(const Members& members) {
  RATLS_TRY(std::string_view id, members.text("id"));
  if (id == "QE") return QeIdentity::Id::qe;
  if (id == "TD_QE") return QeIdentity::Id::td_qe;
  if (id == "QVE") return QeIdentity::Id::qve;
  return members.fail("id", "\"" + std::string(id) + "\" is unknown");
}

}  // namespace

Result<QeIdentity> parse_qe_identity(std::string_view json) {
  RATLS_TRY(const StrictJson value, parse_strict_json(json, kMaxDocumentSize, kMalformed));
  RATLS_TRY(const Members members, Members::of(value, "enclaveIdentity", kMalformed));
  QeIdentity identity;
  RATLS_TRY(const std::uint64_t version,
            members.number("version", std::numeric_limits<std::uint32_t>::max()));
  if (version != 2) return members.fail("version", "got " + std::to_string(version) + ", wanted 2");
  identity.version = 2;
  RATLS_TRY(identity.id, parse_id(members));
  RATLS_TRY(identity.issue_date, members.time("issueDate"));
  RATLS_TRY(identity.next_update, members.time("nextUpdate"));
  RATLS_TRY(const std::uint64_t evaluation_number,
            members.number("tcbEvaluationDataNumber", std::numeric_limits<std::uint32_t>::max()));
  identity.evaluation_number = static_cast<std::uint32_t>(evaluation_number);
  RATLS_TRY(identity.misc_select, parse_misc_select(members, "miscselect"));
  RATLS_TRY(identity.misc_select_mask, parse_misc_select(members, "miscselectMask"));
  RATLS_TRY(identity.attributes, members.hex<decltype(identity.attributes)>("attributes"));
  RATLS_TRY(identity.attributes_mask,
            members.hex<decltype(identity.attributes_mask)>("attributesMask"));
  RATLS_TRY(identity.mr_signer, members.hex<decltype(identity.mr_signer)>("mrsigner"));
  RATLS_TRY(const std::uint64_t isv_prod_id, members.number("isvprodid", 65535));
  identity.isv_prod_id = static_cast<std::uint16_t>(isv_prod_id);
  RATLS_TRY(identity.levels, parse_svn_levels(members));
  return identity;
}

}  // namespace ratls::tcb
