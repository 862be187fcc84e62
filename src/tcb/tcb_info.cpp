// SPDX-License-Identifier: Apache-2.0
#include "tcb/tcb_info.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "tcb/strict_json.h"

namespace ratls::tcb {
namespace {

constexpr Code kMalformed = Code::tcb_info_malformed;

// A level with the TDX components, which count only for the order of levels.
struct PublishedLevel {
  TcbLevel level;
  Components tdx_components{};
};

// Version 2: sgxtcbcomp01svn to sgxtcbcomp16svn.
Result<Components> parse_named_components(const Members& tcb) {
  Components out{};
  std::string key = "sgxtcbcomp00svn";
  for (std::size_t i = 0; i < out.size(); ++i) {
    key[10] = static_cast<char>('0' + (i + 1) / 10);
    key[11] = static_cast<char>('0' + (i + 1) % 10);
    RATLS_TRY(const std::uint64_t svn, tcb.number(key, 255));
    out[i] = static_cast<std::uint8_t>(svn);
  }
  return out;
}

// Version 3: an array of 16 objects with the member svn.
Result<Components> parse_listed_components(const Members& tcb, std::string_view key) {
  RATLS_TRY(const StrictJson* values, tcb.array(key));
  Components out{};
  if (values->size() != out.size()) {
    return tcb.fail(key, "got " + std::to_string(values->size()) + " components, wanted 16");
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    RATLS_TRY(const Members component, Members::of((*values)[i], key, kMalformed));
    RATLS_TRY(const std::uint64_t svn, component.number("svn", 255));
    out[i] = static_cast<std::uint8_t>(svn);
  }
  return out;
}

Result<TcbStatus> parse_status(const Members& level) {
  RATLS_TRY(std::string_view text, level.text("tcbStatus"));
  const auto status = parse_tcb_status(text);
  // Verifiers come to the other three by themselves; Intel publishes none of them.
  if (!status || *status == TcbStatus::not_supported || *status == TcbStatus::td_relaunch_advised ||
      *status == TcbStatus::td_relaunch_advised_configuration_needed) {
    return level.fail("tcbStatus", "\"" + std::string(text) + "\" is no status of a TCB level");
  }
  return *status;
}

Result<PublishedLevel> parse_level(const StrictJson& json, const TcbInfo& info) {
  constexpr std::string_view kTdxKey = "tdxtcbcomponents";
  RATLS_TRY(const Members members, Members::of(json, "level", kMalformed));
  RATLS_TRY(const Members tcb, members.object("tcb"));
  PublishedLevel out;
  TcbLevel& level = out.level;
  if (info.version == 2) {
    RATLS_TRY(level.sgx_components, parse_named_components(tcb));
  } else {
    RATLS_TRY(level.sgx_components, parse_listed_components(tcb, "sgxtcbcomponents"));
  }
  if (info.id == TcbInfo::Id::tdx && tcb.has(kTdxKey)) {
    RATLS_TRY(out.tdx_components, parse_listed_components(tcb, kTdxKey));
  }
  RATLS_TRY(const std::uint64_t pce_svn, tcb.number("pcesvn", 65535));
  level.pce_svn = static_cast<std::uint16_t>(pce_svn);
  RATLS_TRY(level.status, parse_status(members));
  RATLS_TRY(level.date, members.time("tcbDate"));
  RATLS_TRY(level.advisories, members.advisories());
  return out;
}

// Intel's library looks at the levels from high to low, however they are published (TcbLevel.cpp).
bool is_above(const PublishedLevel& a, const PublishedLevel& b) {
  return std::tie(a.level.sgx_components, a.level.pce_svn, a.tdx_components) >
         std::tie(b.level.sgx_components, b.level.pce_svn, b.tdx_components);
}

Result<std::vector<TcbLevel>> parse_levels(const Members& members, const TcbInfo& info) {
  constexpr std::string_view kKey = "tcbLevels";
  RATLS_TRY(const StrictJson* values, members.array(kKey));
  if (values->empty()) return members.fail(kKey, "at least one level is needed");
  std::vector<PublishedLevel> published;
  published.reserve(values->size());
  for (const StrictJson& value : *values) {
    auto level = parse_level(value, info);
    if (!level) {
      return level.error().in(std::string(kKey) + "[" + std::to_string(published.size()) + "]");
    }
    published.push_back(std::move(level).value());
  }
  std::ranges::sort(published, is_above);
  const auto not_above = [](const auto& a, const auto& b) { return !is_above(a, b); };
  if (std::ranges::adjacent_find(published, not_above) != published.end()) {
    return members.fail(kKey, "a level is there twice");
  }
  std::vector<TcbLevel> levels;
  levels.reserve(published.size());
  for (PublishedLevel& level : published) levels.push_back(std::move(level.level));
  return levels;
}

// Version 2 has no id and speaks of SGX only.
Result<TcbInfo::Id> parse_id(const Members& members, int version) {
  if (version == 2 && !members.has("id")) return TcbInfo::Id::sgx;
  RATLS_TRY(std::string_view id, members.text("id"));
  if (id == "SGX") return TcbInfo::Id::sgx;
  if (id == "TDX" && version == 3) return TcbInfo::Id::tdx;
  return members.fail(
      "id", "\"" + std::string(id) + "\" is unknown in version " + std::to_string(version));
}

Result<int> parse_version(const Members& members) {
  RATLS_TRY(const std::uint64_t version,
            members.number("version", std::numeric_limits<std::uint32_t>::max()));
  if (version != 2 && version != 3) {
    return members.fail("version", "got " + std::to_string(version) + ", wanted 2 or 3");
  }
  return static_cast<int>(version);
}

}  // namespace

Result<TcbInfo> parse_tcb_info(std::string_view json) {
  RATLS_TRY(const StrictJson value, parse_strict_json(json, kMaxDocumentSize, kMalformed));
  RATLS_TRY(const Members members, Members::of(value, "tcbInfo", kMalformed));
  TcbInfo info;
  RATLS_TRY(info.version, parse_version(members));
  RATLS_TRY(info.id, parse_id(members, info.version));
  RATLS_TRY(info.issue_date, members.time("issueDate"));
  RATLS_TRY(info.next_update, members.time("nextUpdate"));
  RATLS_TRY(info.fmspc, members.hex<Fmspc>("fmspc"));
  RATLS_TRY(info.pce_id, members.hex<PceId>("pceId"));
  // Type 0 is the only one whose comparison is known (PCS API v4, "tcbType").
  RATLS_CHECK(members.number("tcbType", 0));
  RATLS_TRY(const std::uint64_t evaluation_number,
            members.number("tcbEvaluationDataNumber", std::numeric_limits<std::uint32_t>::max()));
  info.evaluation_number = static_cast<std::uint32_t>(evaluation_number);
  RATLS_TRY(info.levels, parse_levels(members, info));
  return info;
}

const TcbLevel* match_level(const TcbInfo& info, const Components& sgx_components,
                            std::uint16_t pce_svn) noexcept {
  for (const TcbLevel& level : info.levels) {
    bool reached = pce_svn >= level.pce_svn;
    for (std::size_t i = 0; reached && i < sgx_components.size(); ++i) {
      reached = sgx_components[i] >= level.sgx_components[i];
    }
    if (reached) return &level;
  }
  return nullptr;
}

}  // namespace ratls::tcb
