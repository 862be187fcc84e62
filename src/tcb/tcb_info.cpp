// SPDX-License-Identifier: Apache-2.0
#include "tcb/tcb_info.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "tcb/strict_json.h"

namespace ratls::tcb {
namespace {

constexpr Code kMalformed = Code::tcb_info_malformed;

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

// Version 3: an array of 16 objects with the member svn, and two for people.
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
    for (const std::string_view note : {"category", "type"}) {
      if (component.has(note)) RATLS_CHECK(component.text(note));
    }
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

Result<TcbLevel> parse_level(const StrictJson& json, const TcbInfo& info) {
  RATLS_TRY(const Members members, Members::of(json, "level", kMalformed));
  RATLS_TRY(const Members tcb, members.object("tcb"));
  TcbLevel level;
  if (info.version == 2) {
    RATLS_TRY(level.sgx_components, parse_named_components(tcb));
  } else {
    RATLS_TRY(level.sgx_components, parse_listed_components(tcb, "sgxtcbcomponents"));
  }
  if (info.id == TcbInfo::Id::tdx && !info.tdx_defect) {
    RATLS_TRY(level.tdx_components, parse_listed_components(tcb, "tdxtcbcomponents"));
  }
  RATLS_TRY(const std::uint64_t pce_svn, tcb.number("pcesvn", 65535));
  level.pce_svn = static_cast<std::uint16_t>(pce_svn);
  RATLS_TRY(level.status, parse_status(members));
  RATLS_TRY(level.date, members.time("tcbDate"));
  RATLS_TRY(level.advisories, members.advisories());
  return level;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

// Intel's library looks at the levels from high to low, however they are published (TcbLevel.cpp).
bool is_above(const TcbLevel& a, const TcbLevel& b) {
  return std::tie(a.sgx_components, a.pce_svn, a.tdx_components) >
         std::tie(b.sgx_components, b.pce_svn, b.tdx_components);
}

Result<std::vector<TcbLevel>> parse_levels(const Members& members, const TcbInfo& info) {
  constexpr std::string_view kKey = "tcbLevels";
  RATLS_TRY(const StrictJson* values, members.array(kKey));
  if (values->empty()) return members.fail(kKey, "at least one level is needed");
  std::vector<TcbLevel> levels;
  levels.reserve(values->size());
  for (const StrictJson& value : *values) {
    auto level = parse_level(value, info);
    if (!level) {
      return level.error().in(std::string(kKey) + "[" + std::to_string(levels.size()) + "]");
    }
    levels.push_back(std::move(level).value());
  }
  if (info.tdx_defect) return levels;  // without all that tells them apart
  std::ranges::sort(levels, is_above);
  const auto not_above = [](const auto& a, const auto& b) { return !is_above(a, b); };
  if (std::ranges::adjacent_find(levels, not_above) != levels.end()) {
    return members.fail(kKey, "a level is there twice");
  }
  return levels;
}

const TdxModuleIdentity* find_identity(const TcbInfo& info, std::string_view id) noexcept {
  const auto found = std::ranges::find(info.tdx_module_identities, id, &TdxModuleIdentity::id);
  return found == info.tdx_module_identities.end() ? nullptr : &*found;
}

Result<TdxModule> parse_module(const Members& members) {
  TdxModule module;
  RATLS_TRY(module.mr_signer, members.hex<decltype(module.mr_signer)>("mrsigner"));
  RATLS_TRY(module.attributes, members.hex<decltype(module.attributes)>("attributes"));
  RATLS_TRY(module.attributes_mask,
            members.hex<decltype(module.attributes_mask)>("attributesMask"));
  return module;
}

Result<TdxModuleIdentity> parse_module_identity(const StrictJson& json) {
  RATLS_TRY(const Members members, Members::of(json, "identity", kMalformed));
  TdxModuleIdentity identity;
  RATLS_TRY(const std::string_view id, members.text("id"));
  identity.id = upper(id);
  RATLS_TRY(identity.module, parse_module(members));
  RATLS_TRY(identity.levels, parse_svn_levels(members));
  return identity;
}

// The members of TDX; TCB info of SGX may not have them (Intel QVL, TcbInfo.cpp).
Result<void> parse_tdx_part(const Members& members, TcbInfo& info) {
  constexpr std::string_view kModule = "tdxModule";
  constexpr std::string_view kIdentities = "tdxModuleIdentities";
  if (info.id == TcbInfo::Id::sgx) {
    for (const std::string_view key : {kModule, kIdentities}) {
      if (info.version > 2 && members.has(key)) return members.fail(key, "it is for TDX only");
    }
    return {};
  }
  RATLS_TRY(const Members module, members.object(kModule));
  RATLS_TRY(info.tdx_module, parse_module(module));
  if (!members.has(kIdentities)) return {};
  RATLS_TRY(const StrictJson* values, members.array(kIdentities));
  if (values->empty()) return members.fail(kIdentities, "at least one identity is needed");
  for (const StrictJson& value : *values) {
    auto identity = parse_module_identity(value);
    if (!identity) {
      return identity.error().in(std::string(kIdentities) + "[" +
                                 std::to_string(info.tdx_module_identities.size()) + "]");
    }
    if (find_identity(info, identity->id) != nullptr) {
      return members.fail(kIdentities, "a module is there twice");
    }
    info.tdx_module_identities.push_back(std::move(identity).value());
  }
  return {};
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
  if (const auto tdx = parse_tdx_part(members, info); !tdx) info.tdx_defect = tdx.error();
  RATLS_TRY(info.levels, parse_levels(members, info));
  return info;
}

std::string module_id(std::uint8_t version) {
  return "TDX_" + upper(to_hex(BytesView(&version, 1)));
}

const TdxModuleIdentity* find_module(const TcbInfo& info, std::uint8_t version) noexcept {
  return find_identity(info, module_id(version));
}

const TcbLevel* match_level(const TcbInfo& info, const PlatformNumbers& platform) noexcept {
  const auto reaches = [](const Components& has, const Components& wanted, std::size_t from) {
    for (std::size_t i = from; i < has.size(); ++i) {
      if (has[i] < wanted[i]) return false;
    }
    return true;
  };
  for (const TcbLevel& level : info.levels) {
    if (platform.pce_svn < level.pce_svn) continue;
    if (!reaches(platform.sgx_components, level.sgx_components, 0)) continue;
    if (platform.tee_tcb_svn) {
      const std::size_t from = (*platform.tee_tcb_svn)[1] > 0 ? 2 : 0;
      if (!reaches(*platform.tee_tcb_svn, level.tdx_components, from)) continue;
    }
    return &level;
  }
  return nullptr;
}

}  // namespace ratls::tcb
