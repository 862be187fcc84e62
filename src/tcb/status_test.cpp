// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "ratls/tcb.h"
#include "tcb/qe_identity.h"

namespace ratls {
namespace {

using enum TcbStatus;

constexpr std::array kAll = {up_to_date,
                             sw_hardening_needed,
                             configuration_needed,
                             configuration_and_sw_hardening_needed,
                             out_of_date,
                             out_of_date_configuration_needed,
                             td_relaunch_advised,
                             td_relaunch_advised_configuration_needed,
                             revoked,
                             not_supported};

TEST(TcbStatus, IsWrittenAndReadInIntelsSpelling) {
  constexpr std::array<std::string_view, 10> kNames = {"UpToDate",
                                                       "SWHardeningNeeded",
                                                       "ConfigurationNeeded",
                                                       "ConfigurationAndSWHardeningNeeded",
                                                       "OutOfDate",
                                                       "OutOfDateConfigurationNeeded",
                                                       "TDRelaunchAdvised",
                                                       "TDRelaunchAdvisedConfigurationNeeded",
                                                       "Revoked",
                                                       "NotSupported"};
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    EXPECT_EQ(to_string(kAll[i]), kNames[i]);
    EXPECT_EQ(parse_tcb_status(kNames[i]), kAll[i]);
  }
}

TEST(TcbStatus, RejectsOtherSpellings) {
  for (std::string_view text : {"", "uptodate", "UpToDate ", " UpToDate", "UpToDat", "OutOfDat",
                                "TdRelaunchAdvised", "SwHardeningNeeded"}) {
    EXPECT_EQ(parse_tcb_status(text), std::nullopt) << text;
  }
}

TEST(Converge, KeepsThePlatformWhenTheQeIsUpToDate) {
  for (TcbStatus platform : kAll) EXPECT_EQ(tcb::converge(platform, up_to_date), platform);
}

TEST(Converge, OutdatesThePlatformWhenTheQeIsOutOfDate) {
  EXPECT_EQ(tcb::converge(up_to_date, out_of_date), out_of_date);
  EXPECT_EQ(tcb::converge(sw_hardening_needed, out_of_date), out_of_date);
  EXPECT_EQ(tcb::converge(configuration_needed, out_of_date), out_of_date_configuration_needed);
  EXPECT_EQ(tcb::converge(configuration_and_sw_hardening_needed, out_of_date),
            out_of_date_configuration_needed);
  EXPECT_EQ(tcb::converge(out_of_date, out_of_date), out_of_date);
  EXPECT_EQ(tcb::converge(out_of_date_configuration_needed, out_of_date),
            out_of_date_configuration_needed);
  EXPECT_EQ(tcb::converge(td_relaunch_advised, out_of_date), out_of_date);
  EXPECT_EQ(tcb::converge(td_relaunch_advised_configuration_needed, out_of_date),
            out_of_date_configuration_needed);
  EXPECT_EQ(tcb::converge(revoked, out_of_date), revoked);
  EXPECT_EQ(tcb::converge(not_supported, out_of_date), not_supported);
}

TEST(Converge, RevokesWithTheQe) {
  for (TcbStatus platform : kAll) {
    EXPECT_EQ(tcb::converge(platform, revoked),
              platform == not_supported ? not_supported : revoked);
  }
}

TEST(Converge, IsNotSupportedForAnyOtherStatusOfTheQe) {
  for (TcbStatus qe : {not_supported, sw_hardening_needed, configuration_needed,
                       configuration_and_sw_hardening_needed, out_of_date_configuration_needed,
                       td_relaunch_advised, td_relaunch_advised_configuration_needed}) {
    for (TcbStatus platform : kAll) EXPECT_EQ(tcb::converge(platform, qe), not_supported);
  }
}

// Intel QVL, TDRelaunchCheck.
TEST(RelaunchStatus, AdvisesWhenOnlyTheLaunchWasOutdated) {
  using tcb::relaunch_status;
  EXPECT_EQ(relaunch_status(out_of_date, up_to_date), td_relaunch_advised);
  EXPECT_EQ(relaunch_status(out_of_date, sw_hardening_needed), td_relaunch_advised);
  for (const TcbStatus current : {configuration_needed, configuration_and_sw_hardening_needed}) {
    EXPECT_EQ(relaunch_status(out_of_date, current), td_relaunch_advised_configuration_needed);
  }
  for (const TcbStatus current : {up_to_date, sw_hardening_needed, configuration_needed,
                                  configuration_and_sw_hardening_needed}) {
    EXPECT_EQ(relaunch_status(out_of_date_configuration_needed, current),
              td_relaunch_advised_configuration_needed);
  }
}

TEST(RelaunchStatus, KeepsTheStatusOfTheLaunchOtherwise) {
  for (const TcbStatus launched : kAll) {
    for (const TcbStatus current : {out_of_date, out_of_date_configuration_needed}) {
      EXPECT_EQ(tcb::relaunch_status(launched, current), launched);
    }
    if (launched == out_of_date || launched == out_of_date_configuration_needed) continue;
    EXPECT_EQ(tcb::relaunch_status(launched, up_to_date), launched);
  }
}

TEST(RelaunchStatus, IsNoBetterThanThatOfTheRunningModule) {
  for (const TcbStatus launched : kAll) {
    EXPECT_EQ(tcb::relaunch_status(launched, not_supported), not_supported);
    EXPECT_EQ(tcb::relaunch_status(launched, revoked),
              launched == not_supported ? not_supported : revoked);
  }
}

}  // namespace
}  // namespace ratls
