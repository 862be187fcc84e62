// SPDX-License-Identifier: Apache-2.0
#include "tcb/qe_identity.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "tcb/strict_json.h"

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

Result<TcbStatus> parse_status(const Members& level) {
  RATLS_TRY(std::string_view text, level.text("tcbStatus"));
  const auto status = parse_tcb_status(text);
  if (status != TcbStatus::up_to_date && status != TcbStatus::out_of_date &&
      status != TcbStatus::revoked) {
    return level.fail("tcbStatus", "\"" + std::string(text) + "\" is no status of an enclave");
  }
  return *status;
}

Result<QeTcbLevel> parse_level(const StrictJson& json) {
  RATLS_TRY(const Members members, Members::of(json, "level", kMalformed));
  RATLS_TRY(const Members tcb, members.object("tcb"));
  QeTcbLevel level;
  RATLS_TRY(const std::uint64_t isv_svn, tcb.number("isvsvn", 65535));
  level.isv_svn = static_cast<std::uint16_t>(isv_svn);
  RATLS_TRY(level.status, parse_status(members));
  RATLS_TRY(level.date, members.time("tcbDate"));
  RATLS_TRY(level.advisories, members.advisories());
  return level;
}

Result<std::vector<QeTcbLevel>> parse_levels(const Members& members) {
  constexpr std::string_view kKey = "tcbLevels";
  RATLS_TRY(const StrictJson* values, members.array(kKey));
  if (values->empty()) return members.fail(kKey, "at least one level is needed");
  std::vector<QeTcbLevel> levels;
  levels.reserve(values->size());
  for (const StrictJson& value : *values) {
    const std::string place = std::string(kKey) + "[" + std::to_string(levels.size()) + "]";
    auto level = parse_level(value);
    if (!level) return level.error().in(place);
    levels.push_back(std::move(level).value());
  }
  // From high to low, as Intel's library looks at them (IdentityTcbLevel.cpp).
  std::ranges::sort(levels, std::ranges::greater(), &QeTcbLevel::isv_svn);
  if (std::ranges::adjacent_find(levels, {}, &QeTcbLevel::isv_svn) != levels.end()) {
    return members.fail(kKey, "a level is there twice");
  }
  return levels;
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
  RATLS_TRY(identity.levels, parse_levels(members));
  return identity;
}

const QeTcbLevel* match_level(const QeIdentity& identity, std::uint16_t isv_svn) noexcept {
  for (const QeTcbLevel& level : identity.levels) {
    if (isv_svn >= level.isv_svn) return &level;
  }
  return nullptr;
}

}  // namespace ratls::tcb
