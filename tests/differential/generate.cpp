// SPDX-License-Identifier: Apache-2.0

// Makes random platforms, quotes and collateral, rightly signed or wrong in one point, and prints
// each with the verdict of ratls, as one JSON line, for another verifier to judge.
// usage: differential_cases SEED COUNT

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>

#include "verifier/trial.h"

namespace ratls::testing {
namespace {

using Json = nlohmann::ordered_json;
using Random = std::mt19937_64;
using std::chrono::hours;

int below(Random& random, int bound) {
  return std::uniform_int_distribution<int>(0, bound - 1)(random);
}
bool chance(Random& random, int percent) { return below(random, 100) < percent; }

std::vector<std::string> random_advisories(Random& random) {
  std::vector<std::string> out;
  for (int i = below(random, 4); i > 0; --i) {
    out.push_back("INTEL-SA-" + std::to_string(10000 + below(random, 20)));
  }
  return out;
}

TcbStatus random_status(Random& random) {
  constexpr std::array kStatuses = {TcbStatus::up_to_date,
                                    TcbStatus::sw_hardening_needed,
                                    TcbStatus::configuration_needed,
                                    TcbStatus::configuration_and_sw_hardening_needed,
                                    TcbStatus::out_of_date,
                                    TcbStatus::out_of_date_configuration_needed,
                                    TcbStatus::revoked};
  return kStatuses[static_cast<std::size_t>(below(random, kStatuses.size()))];
}

// Levels around the platform's own numbers, from high to low as Intel publishes them.
void random_levels(Random& random, sim::WorldSpec& spec) {
  const bool tdx = spec.quote.td.has_value();
  std::vector<tcb::TcbLevel> levels;
  for (int count = 1 + below(random, 6); count > 0; --count) {
    tcb::TcbLevel level;
    for (std::size_t i = 0; i < level.sgx_components.size(); ++i) {
      const int own = spec.machine->tcb_components[i];
      const int shifted = chance(random, 93) ? own : own + below(random, 5) - 3;
      level.sgx_components[i] = static_cast<std::uint8_t>(std::clamp(shifted, 0, 255));
      if (!tdx) continue;
      const int svn = spec.quote.td->tee_tcb_svn.bytes[i];
      level.tdx_components[i] = static_cast<std::uint8_t>(
          std::max(0, chance(random, 95) ? svn : svn + below(random, 4) - 2));
    }
    const int shift = chance(random, 80) ? 0 : below(random, 3) - 1;
    level.pce_svn = static_cast<std::uint16_t>(spec.machine->pce_svn + shift);
    level.status = random_status(random);
    level.date = sim::kWorldTime - hours(24 * below(random, 1000));
    level.advisories = random_advisories(random);
    levels.push_back(level);
  }
  const auto key = [](const tcb::TcbLevel& level) {
    return std::tie(level.sgx_components, level.pce_svn, level.tdx_components);
  };
  std::ranges::sort(levels, [&](const auto& a, const auto& b) { return key(a) > key(b); });
  const auto [first, last] =
      std::ranges::unique(levels, [&](const auto& a, const auto& b) { return key(a) == key(b); });
  levels.erase(first, last);
  spec.tcb_info.content.levels = std::move(levels);
}

void random_qe_levels(Random& random, sim::WorldSpec& spec) {
  std::vector<tcb::SvnLevel> levels;
  int svn = 4 + below(random, 8);
  for (int count = 1 + below(random, 3); count > 0 && svn > 0; --count) {
    const TcbStatus status = chance(random, 60)   ? TcbStatus::up_to_date
                             : chance(random, 80) ? TcbStatus::out_of_date
                                                  : TcbStatus::revoked;
    levels.push_back({.isv_svn = static_cast<std::uint16_t>(svn),
                      .status = status,
                      .date = sim::kWorldTime - hours(24 * below(random, 1000)),
                      .advisories = random_advisories(random)});
    svn -= 1 + below(random, 4);
  }
  spec.qe_identity.content.levels = std::move(levels);
  spec.quote.qe_report.isv_svn = static_cast<std::uint16_t>(4 + below(random, 10));
}

/// Defect is one thing that is wrong.
struct Defect {
  const char* name;
  void (*make)(sim::WorldSpec& spec);
};

constexpr Defect kDefects[] = {
    {"pck_signer", [](sim::WorldSpec& w) { w.pck.signer = w.stranger; }},
    {"pck_ca_signer", [](sim::WorldSpec& w) { w.pck_ca.signer = w.stranger; }},
    {"tcb_signing_signer", [](sim::WorldSpec& w) { w.tcb_signing.signer = w.stranger; }},
    {"root_crl_signer", [](sim::WorldSpec& w) { w.root_crl.signer = w.stranger; }},
    {"pck_crl_signer", [](sim::WorldSpec& w) { w.pck_crl.signer = w.stranger; }},
    {"tcb_info_signer", [](sim::WorldSpec& w) { w.tcb_info.signer = w.stranger; }},
    {"qe_identity_signer", [](sim::WorldSpec& w) { w.qe_identity.signer = w.stranger; }},
    {"qe_report_signer", [](sim::WorldSpec& w) { w.quote.qe_report_signer = w.stranger; }},
    {"quote_signer", [](sim::WorldSpec& w) { w.quote.quote_signer = w.stranger; }},
    {"key_unbound",
     [](sim::WorldSpec& w) {
       w.quote.qe_report_data = ReportData{{1, 2}};
     }},
    {"report_data_tail",
     [](sim::WorldSpec& w) { w.quote.edit_qe_report = [](Bytes& report) { report[383] = 1; }; }},
    {"pck_revoked",
     [](sim::WorldSpec& w) { w.pck_crl.spec.revoked_serials = {w.pck.spec.serial}; }},
    {"pck_ca_revoked",
     [](sim::WorldSpec& w) { w.root_crl.spec.revoked_serials = {w.pck_ca.spec.serial}; }},
    {"tcb_signing_revoked",
     [](sim::WorldSpec& w) { w.root_crl.spec.revoked_serials = {w.tcb_signing.spec.serial}; }},
    {"pck_expired", [](sim::WorldSpec& w) { w.pck.spec.not_after = sim::kWorldTime - hours(1); }},
    {"pck_early", [](sim::WorldSpec& w) { w.pck.spec.not_before = sim::kWorldTime + hours(1); }},
    {"pck_ca_expired",
     [](sim::WorldSpec& w) { w.pck_ca.spec.not_after = sim::kWorldTime - hours(1); }},
    {"tcb_signing_expired",
     [](sim::WorldSpec& w) { w.tcb_signing.spec.not_after = sim::kWorldTime - hours(1); }},
    {"root_crl_expired",
     [](sim::WorldSpec& w) { w.root_crl.spec.next_update = sim::kWorldTime - hours(1); }},
    {"pck_crl_expired",
     [](sim::WorldSpec& w) { w.pck_crl.spec.next_update = sim::kWorldTime - hours(1); }},
    {"tcb_info_expired",
     [](sim::WorldSpec& w) { w.tcb_info.content.next_update = sim::kWorldTime - hours(1); }},
    {"tcb_info_early",
     [](sim::WorldSpec& w) { w.tcb_info.content.issue_date = sim::kWorldTime + hours(1); }},
    {"qe_identity_expired",
     [](sim::WorldSpec& w) { w.qe_identity.content.next_update = sim::kWorldTime - hours(1); }},
    {"fmspc", [](sim::WorldSpec& w) { w.tcb_info.content.fmspc.bytes[1] ^= 1; }},
    {"pce_id", [](sim::WorldSpec& w) { w.tcb_info.content.pce_id.bytes[1] ^= 1; }},
    {"qe_mr_signer", [](sim::WorldSpec& w) { w.quote.qe_report.mr_signer.bytes[3] ^= 1; }},
    {"qe_isv_prod_id", [](sim::WorldSpec& w) { w.quote.qe_report.isv_prod_id ^= 1; }},
    {"qe_misc_select", [](sim::WorldSpec& w) { w.quote.qe_report.misc_select ^= 1; }},
    {"qe_attributes", [](sim::WorldSpec& w) { w.quote.qe_report.attributes.bytes[1] ^= 1; }},
    {"debug",
     [](sim::WorldSpec& w) {
       w.quote.report.attributes.bytes[0] |= kAttributeDebug;
       if (w.quote.td) w.quote.td->td_attributes.bytes[0] |= 1;
     }},
};

/// Case is one platform with a quote and collateral.
struct Case {
  sim::WorldSpec spec;
  std::string defect = "none";
};

Case make_case(Random& random, const sim::WorldKeys& keys) {
  sim::WorldBasics basics;
  basics.keys = keys;
  basics.pck_ca = chance(random, 50) ? sim::PckCa::platform : sim::PckCa::processor;
  if (chance(random, 40)) {
    basics.td = sim::default_td();
    // The other verifier does not know module identities; without a version there are none.
    basics.td->tee_tcb_svn.bytes[1] = 0;
  }
  Case made{sim::plan_world(basics).value()};
  if (basics.td && chance(random, 50)) made.spec.quote.header.version = 5;
  random_levels(random, made.spec);
  random_qe_levels(random, made.spec);
  if (chance(random, 40)) {
    const Defect& defect = kDefects[below(random, std::size(kDefects))];
    defect.make(made.spec);
    made.defect = defect.name;
  }
  return made;
}

// What every verdict but that of the collateral and the quote would refuse is allowed.
Policy permissive(const sim::World& world) {
  Policy policy = policy_for(world);
  policy.tcb.accept = {
      TcbStatus::up_to_date,           TcbStatus::sw_hardening_needed,
      TcbStatus::configuration_needed, TcbStatus::configuration_and_sw_hardening_needed,
      TcbStatus::out_of_date,          TcbStatus::out_of_date_configuration_needed,
      TcbStatus::td_relaunch_advised,  TcbStatus::td_relaunch_advised_configuration_needed};
  policy.tcb.max_collateral_age = hours(24 * 3650);
  return policy;
}

Json verdict_json(const Verdict& verdict) {
  const Report& report = verdict.report;
  const auto word = [](const std::optional<TcbStatus>& status) {
    return status ? Json(to_string(*status)) : Json(nullptr);
  };
  const Code code = verdict.accepted() ? Code::ok : verdict.result.error().code();
  return {{"accepted", verdict.accepted()},    {"code", describe(code).name},
          {"status", word(report.tcb_status)}, {"platform", word(report.platform_tcb_status)},
          {"qe", word(report.qe_tcb_status)},  {"advisories", report.advisories}};
}

int run(std::uint64_t seed, int count) {
  sim::WorldKeys keys;
  for (sim::Key* key :
       {&keys.root, &keys.pck_ca, &keys.pck, &keys.tcb_signing, &keys.attestation}) {
    *key = sim::make_key().value();
  }
  for (int i = 0; i < count; ++i) {
    Random random(seed + static_cast<std::uint64_t>(i));
    const Case made = make_case(random, keys);
    Trial trial(made.spec);
    trial.policy = permissive(trial.world);
    const Bytes quote = trial.quote();
    const Json line{{"seed", seed + static_cast<std::uint64_t>(i)},
                    {"defect", made.defect},
                    {"quote", to_hex(quote)},
                    {"collateral", Json::parse(format_collateral(trial.world.collateral))},
                    {"root", to_hex(trial.world.root_der)},
                    {"now", trial.now.time_since_epoch().count()},
                    {"ours", verdict_json(trial.judge_quote(quote))}};
    std::printf("%s\n", line.dump().c_str());
  }
  return 0;
}

}  // namespace
}  // namespace ratls::testing

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: differential_cases SEED COUNT\n", stderr);
    return 2;
  }
  return ratls::testing::run(std::strtoull(arguments[1], nullptr, 10), std::atoi(arguments[2]));
}
