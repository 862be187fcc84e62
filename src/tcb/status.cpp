// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "ratls/tcb.h"
#include "tcb/qe_identity.h"

namespace ratls {
namespace {

constexpr std::array<std::pair<TcbStatus, std::string_view>, 10> kNames = {{
    {TcbStatus::up_to_date, "UpToDate"},
    {TcbStatus::sw_hardening_needed, "SWHardeningNeeded"},
    {TcbStatus::configuration_needed, "ConfigurationNeeded"},
    {TcbStatus::configuration_and_sw_hardening_needed, "ConfigurationAndSWHardeningNeeded"},
    {TcbStatus::out_of_date, "OutOfDate"},
    {TcbStatus::out_of_date_configuration_needed, "OutOfDateConfigurationNeeded"},
    {TcbStatus::td_relaunch_advised, "TDRelaunchAdvised"},
    {TcbStatus::td_relaunch_advised_configuration_needed, "TDRelaunchAdvisedConfigurationNeeded"},
    {TcbStatus::revoked, "Revoked"},
    {TcbStatus::not_supported, "NotSupported"},
}};

// What an outdated quoting enclave or TDX module makes of a platform's status.
TcbStatus outdated(TcbStatus platform) noexcept {
  switch (platform) {
    case TcbStatus::up_to_date:
    case TcbStatus::sw_hardening_needed:
    case TcbStatus::out_of_date:
    case TcbStatus::td_relaunch_advised:
      return TcbStatus::out_of_date;
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
    case TcbStatus::out_of_date_configuration_needed:
    case TcbStatus::td_relaunch_advised_configuration_needed:
      return TcbStatus::out_of_date_configuration_needed;
    case TcbStatus::revoked:
      return TcbStatus::revoked;
    case TcbStatus::not_supported:
      break;
  }
  return TcbStatus::not_supported;
}

}  // namespace

std::string_view to_string(TcbStatus status) noexcept {
  for (const auto& [value, name] : kNames) {
    if (value == status) return name;
  }
  return "NotSupported";
}

std::optional<TcbStatus> parse_tcb_status(std::string_view text) noexcept {
  for (const auto& [value, name] : kNames) {
    if (name == text) return value;
  }
  return std::nullopt;
}

namespace tcb {

TcbStatus converge(TcbStatus platform, TcbStatus component) noexcept {
  if (platform == TcbStatus::not_supported) return TcbStatus::not_supported;
  switch (component) {
    case TcbStatus::up_to_date:
      return platform;
    case TcbStatus::out_of_date:
      return outdated(platform);
    case TcbStatus::revoked:
      return TcbStatus::revoked;
    // No identity may hold these (parse_svn_levels); they must not pass as UpToDate.
    case TcbStatus::sw_hardening_needed:
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
    case TcbStatus::out_of_date_configuration_needed:
    case TcbStatus::td_relaunch_advised:
    case TcbStatus::td_relaunch_advised_configuration_needed:
    case TcbStatus::not_supported:
      break;
  }
  return TcbStatus::not_supported;
}

TcbStatus relaunch_status(TcbStatus launched, TcbStatus current) noexcept {
  if (launched == TcbStatus::not_supported) return launched;
  // What runs now counts: a TD is no better for having been launched on something else.
  if (current == TcbStatus::revoked || current == TcbStatus::not_supported) return current;
  const bool launched_with_configuration = launched == TcbStatus::out_of_date_configuration_needed;
  if (launched != TcbStatus::out_of_date && !launched_with_configuration) return launched;
  switch (current) {
    case TcbStatus::up_to_date:
    case TcbStatus::sw_hardening_needed:
      return launched_with_configuration ? TcbStatus::td_relaunch_advised_configuration_needed
                                         : TcbStatus::td_relaunch_advised;
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
      return TcbStatus::td_relaunch_advised_configuration_needed;
    default:
      return launched;
  }
}

}  // namespace tcb
}  // namespace ratls
