// SPDX-License-Identifier: Apache-2.0
#include "tcb/svn_level.h"

#include <algorithm>
#include <functional>

namespace ratls::tcb {
namespace {

Result<TcbStatus> parse_status(const Members& level) {
  RATLS_TRY(std::string_view text, level.text("tcbStatus"));
  const auto status = parse_tcb_status(text);
  if (status != TcbStatus::up_to_date && status != TcbStatus::out_of_date &&
      status != TcbStatus::revoked) {
    return level.fail("tcbStatus",
                      "\"" + std::string(text) + "\" is no status of an enclave or module");
  }
  return *status;
}

Result<SvnLevel> parse_level(const StrictJson& json, Code on_error) {
  RATLS_TRY(const Members members, Members::of(json, "level", on_error));
  RATLS_TRY(const Members tcb, members.object("tcb"));
  SvnLevel level;
  RATLS_TRY(const std::uint64_t isv_svn, tcb.number("isvsvn", 65535));
  level.isv_svn = static_cast<std::uint16_t>(isv_svn);
  RATLS_TRY(level.status, parse_status(members));
  RATLS_TRY(level.date, members.time("tcbDate"));
  RATLS_TRY(level.advisories, members.advisories());
  return level;
}

}  // namespace

Result<std::vector<SvnLevel>> parse_svn_levels(const Members& members) {
  constexpr std::string_view kKey = "tcbLevels";
  RATLS_TRY(const StrictJson* values, members.array(kKey));
  if (values->empty()) return members.fail(kKey, "at least one level is needed");
  std::vector<SvnLevel> levels;
  levels.reserve(values->size());
  for (const StrictJson& value : *values) {
    const std::string place = std::string(kKey) + "[" + std::to_string(levels.size()) + "]";
    auto level = parse_level(value, members.code());
    if (!level) return level.error().in(place);
    levels.push_back(std::move(level).value());
  }
  // From high to low, as Intel's library looks at them (IdentityTcbLevel.cpp, TdxModuleTcbLevel).
  std::ranges::sort(levels, std::ranges::greater(), &SvnLevel::isv_svn);
  if (std::ranges::adjacent_find(levels, {}, &SvnLevel::isv_svn) != levels.end()) {
    return members.fail(kKey, "a level is there twice");
  }
  return levels;
}

const SvnLevel* match_level(const std::vector<SvnLevel>& levels, std::uint16_t isv_svn) noexcept {
  for (const SvnLevel& level : levels) {
    if (isv_svn >= level.isv_svn) return &level;
  }
  return nullptr;
}

}  // namespace ratls::tcb
