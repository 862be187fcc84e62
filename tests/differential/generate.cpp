// SPDX-License-Identifier: Apache-2.0

// Makes random platforms, quotes and collateral, rightly signed or wrong in some points, and prints
// each with what is wrong and the verdict of ratls, as one JSON line, for another verifier to
// judge. usage: differential_cases SEED COUNT

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

// Levels around the platform's own numbers, from high to low as Intel publishes them. The first two
// numbers of TDX are those of the module; they are left to its identity when there is one.
void random_levels(Random& random, sim::WorldSpec& spec, std::size_t first_of_tdx) {
  const bool tdx = spec.quote.td.has_value();
  std::vector<tcb::TcbLevel> levels;
  for (int count = 1 + below(random, 6); count > 0; --count) {
    tcb::TcbLevel level;
    for (std::size_t i = 0; i < level.sgx_components.size(); ++i) {
      const int own = spec.machine->tcb_components[i];
      const int shifted = chance(random, 93) ? own : own + below(random, 5) - 3;
      level.sgx_components[i] = static_cast<std::uint8_t>(std::clamp(shifted, 0, 255));
      if (!tdx || i < first_of_tdx) continue;
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
  // Intel's lowest level often takes every platform.
  if (chance(random, 60)) {
    levels.push_back(levels.front());
    levels.back().sgx_components = levels.back().tdx_components = {};
    levels.back().pce_svn = 0;
  }
  const auto key = [](const tcb::TcbLevel& level) {
    return std::tie(level.sgx_components, level.pce_svn, level.tdx_components);
  };
  std::ranges::sort(levels, [&](const auto& a, const auto& b) { return key(a) > key(b); });
  const auto equal = [&](const auto& a, const auto& b) { return key(a) == key(b); };
  levels.erase(std::unique(levels.begin(), levels.end(), equal), levels.end());
  spec.tcb_info.content.levels = std::move(levels);
}

// Levels of an enclave or module, from high to low.
std::vector<tcb::SvnLevel> random_svn_levels(Random& random, int highest) {
  std::vector<tcb::SvnLevel> levels;
  int svn = highest;
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
  return levels;
}

/// Fault is something that is wrong with a case, and the code for it when nothing else is.
struct Fault {
  std::string name;
  Code code;
};

/// Defect is one thing that is made wrong.
struct Defect {
  const char* name;
  Code code;  // ok: it is a date, which find_stale sees
  void (*make)(sim::WorldSpec& spec);
};

constexpr Defect kDefects[] = {
    {"pck_signer", Code::pck_chain_untrusted, [](sim::WorldSpec& w) { w.pck.signer = w.stranger; }},
    {"pck_ca_signer", Code::pck_chain_untrusted,
     [](sim::WorldSpec& w) { w.pck_ca.signer = w.stranger; }},
    {"tcb_signing_signer", Code::tcb_chain_untrusted,
     [](sim::WorldSpec& w) { w.tcb_signing.signer = w.stranger; }},
    {"root_crl_signer", Code::crl_untrusted,
     [](sim::WorldSpec& w) { w.root_crl.signer = w.stranger; }},
    {"pck_crl_signer", Code::crl_untrusted,
     [](sim::WorldSpec& w) { w.pck_crl.signer = w.stranger; }},
    {"tcb_info_signer", Code::tcb_info_untrusted,
     [](sim::WorldSpec& w) { w.tcb_info.signer = w.stranger; }},
    {"qe_identity_signer", Code::qe_identity_untrusted,
     [](sim::WorldSpec& w) { w.qe_identity.signer = w.stranger; }},
    {"qe_report_signer", Code::qe_report_untrusted,
     [](sim::WorldSpec& w) { w.quote.qe_report_signer = w.stranger; }},
    {"quote_signer", Code::quote_untrusted,
     [](sim::WorldSpec& w) { w.quote.quote_signer = w.stranger; }},
    {"key_unbound", Code::attestation_key_unbound,
     [](sim::WorldSpec& w) {
       w.quote.qe_report_data = ReportData{{1, 2}};
     }},
    {"report_data_tail", Code::attestation_key_unbound,
     [](sim::WorldSpec& w) { w.quote.edit_qe_report = [](Bytes& report) { report[383] = 1; }; }},
    {"pck_revoked", Code::certificate_revoked,
     [](sim::WorldSpec& w) { w.pck_crl.spec.revoked_serials = {w.pck.spec.serial}; }},
    {"pck_ca_revoked", Code::certificate_revoked,
     [](sim::WorldSpec& w) { w.root_crl.spec.revoked_serials = {w.pck_ca.spec.serial}; }},
    {"tcb_signing_revoked", Code::certificate_revoked,
     [](sim::WorldSpec& w) { w.root_crl.spec.revoked_serials = {w.tcb_signing.spec.serial}; }},
    {"pck_expired", Code::ok,
     [](sim::WorldSpec& w) { w.pck.spec.not_after = sim::kWorldTime - hours(1); }},
    {"pck_early", Code::ok,
     [](sim::WorldSpec& w) { w.pck.spec.not_before = sim::kWorldTime + hours(1); }},
    {"pck_ca_expired", Code::ok,
     [](sim::WorldSpec& w) { w.pck_ca.spec.not_after = sim::kWorldTime - hours(1); }},
    {"tcb_signing_expired", Code::ok,
     [](sim::WorldSpec& w) { w.tcb_signing.spec.not_after = sim::kWorldTime - hours(1); }},
    {"fmspc", Code::tcb_info_mismatch,
     [](sim::WorldSpec& w) { w.tcb_info.content.fmspc.bytes[1] ^= 1; }},
    {"pce_id", Code::tcb_info_mismatch,
     [](sim::WorldSpec& w) { w.tcb_info.content.pce_id.bytes[1] ^= 1; }},
    {"qe_mr_signer", Code::qe_identity_mismatch,
     [](sim::WorldSpec& w) { w.quote.qe_report.mr_signer.bytes[3] ^= 1; }},
    {"qe_isv_prod_id", Code::qe_identity_mismatch,
     [](sim::WorldSpec& w) { w.quote.qe_report.isv_prod_id ^= 1; }},
    {"debug", Code::enclave_debug,
     [](sim::WorldSpec& w) {
       w.quote.report.attributes.bytes[0] |= kAttributeDebug;
       if (w.quote.td) w.quote.td->td_attributes.bytes[0] |= 1;
     }},
};

/// Case is one platform with a quote and collateral.
struct Case {
  sim::WorldSpec spec;
  std::string defect = "none";
  std::vector<Fault> faults = {};
  UnixTime now = sim::kWorldTime;
  bool has_module = false;                   // an identity of its TDX module counts
  std::optional<tcb::SvnLevel> module = {};  // the level that the module reaches
};

// Masks that leave some bits out, and a quoting enclave that has anything there.
void random_masks(Random& random, Case& made) {
  tcb::QeIdentity& identity = made.spec.qe_identity.content;
  EnclaveReport& qe = made.spec.quote.qe_report;
  const auto any = [&] { return static_cast<std::uint32_t>(random()); };
  identity.misc_select_mask = any() | any();
  qe.misc_select = any();
  identity.misc_select = qe.misc_select & identity.misc_select_mask;
  for (std::size_t i = 0; i < identity.attributes.bytes.size(); ++i) {
    identity.attributes_mask.bytes[i] = static_cast<std::uint8_t>(any() | any());
    qe.attributes.bytes[i] = static_cast<std::uint8_t>(any());
    // The other verifier refuses every QE in debug mode: not too many of them.
    if (i == 0 && chance(random, 90)) qe.attributes.bytes[i] &= 0xff ^ kAttributeDebug;
    identity.attributes.bytes[i] = qe.attributes.bytes[i] & identity.attributes_mask.bytes[i];
  }
  if (chance(random, 75)) return;
  // One bit of what is published is changed: where the mask covers it, or where it does not.
  const int bit = below(random, 160);
  const auto flag = static_cast<std::uint8_t>(1 << (bit % 8));
  bool covered = false;
  if (bit < 32) {
    covered = ((identity.misc_select_mask >> bit) & 1) != 0;
    identity.misc_select ^= 1U << bit;
  } else {
    const auto byte = static_cast<std::size_t>(bit - 32) / 8;
    covered = (identity.attributes_mask.bytes[byte] & flag) != 0;
    identity.attributes.bytes[byte] ^= flag;
  }
  made.faults.push_back(
      {covered ? "qe_bit" : "qe_bit_outside_of_mask", Code::qe_identity_mismatch});
}

// The identity of a TDX module, with levels of its own, sometimes wrong.
void random_module(Random& random, Case& made) {
  TdReport& td = *made.spec.quote.td;
  tcb::TcbInfo& info = made.spec.tcb_info.content;
  td.tee_tcb_svn.bytes[0] = static_cast<std::uint8_t>(2 + below(random, 6));
  td.tee_tcb_svn.bytes[1] = static_cast<std::uint8_t>(1 + below(random, 4));
  tcb::TdxModuleIdentity identity{
      .id = tcb::module_id(td.tee_tcb_svn.bytes[1]), .module = *info.tdx_module, .levels = {}};
  identity.levels = random_svn_levels(random, 1 + below(random, 8));
  const tcb::SvnLevel* reached = tcb::match_level(identity.levels, td.tee_tcb_svn.bytes[0]);
  if (reached != nullptr) made.module = *reached;
  if (reached == nullptr) {
    made.faults.push_back({"module_level", Code::tcb_not_supported});
  } else if (reached->status == TcbStatus::revoked) {
    made.faults.push_back({"module_level", Code::tcb_revoked});
  }
  info.tdx_module_identities = {identity};
  if (chance(random, 80)) return;
  switch (below(random, 3)) {
    case 0:
      info.tdx_module_identities[0].id =
          tcb::module_id(static_cast<std::uint8_t>(td.tee_tcb_svn.bytes[1] + 1));
      break;
    case 1:
      info.tdx_module_identities[0].module.mr_signer.bytes[5] ^= 1;
      break;
    default:
      td.seam_attributes.bytes[2] ^= 1;
  }
  made.faults.push_back({"module", Code::tdx_module_mismatch});
}

// Documents and lists that begin and end at different times, and a time near one of the ends.
void random_dates(Random& random, Case& made) {
  sim::WorldSpec& spec = made.spec;
  std::vector<std::pair<UnixTime*, UnixTime*>> windows = {
      {&spec.root_crl.spec.this_update, &spec.root_crl.spec.next_update},
      {&spec.pck_crl.spec.this_update, &spec.pck_crl.spec.next_update},
      {&spec.tcb_info.content.issue_date, &spec.tcb_info.content.next_update},
      {&spec.qe_identity.content.issue_date, &spec.qe_identity.content.next_update}};
  for (const auto& [from, until] : windows) {
    *from = sim::kWorldTime - hours(1 + below(random, 400));
    *until = sim::kWorldTime + hours(1 + below(random, 900));
  }
  const auto& [from, until] = windows[static_cast<std::size_t>(below(random, 4))];
  const UnixTime end = chance(random, 40) ? *from : *until;
  made.now = chance(random, 30) ? sim::kWorldTime + hours(below(random, 900))
                                : end + std::chrono::seconds(below(random, 3) - 1);
}

// What is out of its dates; both ends count as inside (RFC 5280 4.1.2.5).
std::vector<Fault> find_stale(const Case& made) {
  const sim::WorldSpec& w = made.spec;
  const auto is_out = [&](UnixTime from, UnixTime until) {
    return made.now < from || made.now > until;
  };
  const auto is_stale = [&](const x509::CertificateSpec& spec) {
    return is_out(spec.not_before, spec.not_after);
  };
  std::vector<Fault> out;
  if (is_stale(w.root.spec) || is_stale(w.pck_ca.spec) || is_stale(w.pck.spec)) {
    out.push_back({"pck_chain_dates", Code::pck_chain_expired});
  }
  if (is_stale(w.root.spec) || is_stale(w.tcb_signing.spec)) {
    out.push_back({"tcb_signing_dates", Code::tcb_chain_expired});
  }
  if (is_out(w.root_crl.spec.this_update, w.root_crl.spec.next_update)) {
    out.push_back({"root_crl_dates", Code::crl_expired});
  }
  if (is_out(w.pck_crl.spec.this_update, w.pck_crl.spec.next_update)) {
    out.push_back({"pck_crl_dates", Code::crl_expired});
  }
  if (is_out(w.tcb_info.content.issue_date, w.tcb_info.content.next_update)) {
    out.push_back({"tcb_info_dates", Code::tcb_info_expired});
  }
  if (is_out(w.qe_identity.content.issue_date, w.qe_identity.content.next_update)) {
    out.push_back({"qe_identity_dates", Code::qe_identity_expired});
  }
  return out;
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

Verdict judge(const Case& made) {
  Trial trial(made.spec);
  trial.policy = permissive(trial.world);
  trial.now = made.now;
  return trial.judge_quote();
}

// A platform with levels: what they come to, when all else is right, is what the case begins with.
Case plan_case(Random& random, const sim::WorldKeys& keys, Json& line) {
  sim::WorldBasics basics;
  basics.keys = keys;
  basics.pck_ca = chance(random, 50) ? sim::PckCa::platform : sim::PckCa::processor;
  if (chance(random, 50)) {
    basics.td = sim::default_td();
    basics.td->tee_tcb_svn.bytes[1] = 0;  // no version, so that no module identity counts
  }
  Case made{sim::plan_world(basics).value()};
  sim::WorldSpec& spec = made.spec;
  if (basics.td && chance(random, 50)) spec.quote.header.version = 5;
  made.has_module = basics.td && chance(random, 50);
  random_levels(random, spec, made.has_module ? 2 : 0);
  spec.qe_identity.content.levels = random_svn_levels(random, 4 + below(random, 8));
  spec.quote.qe_report.isv_svn = static_cast<std::uint16_t>(4 + below(random, 10));
  const Verdict clean = judge(made);
  line["clean"] = verdict_json(clean);
  if (!clean.accepted()) made.faults.push_back({"levels", clean.result.error().code()});
  return made;
}

Case make_case(Random& random, const sim::WorldKeys& keys, Json& line) {
  Case made = plan_case(random, keys, line);
  if (made.has_module) random_module(random, made);
  if (chance(random, 60)) random_masks(random, made);
  if (chance(random, 25)) random_dates(random, made);
  if (chance(random, 35)) {
    const Defect& defect = kDefects[below(random, std::size(kDefects))];
    defect.make(made.spec);
    made.defect = defect.name;
    if (defect.code != Code::ok) made.faults.push_back({defect.name, defect.code});
  }
  std::ranges::move(find_stale(made), std::back_inserter(made.faults));
  return made;
}

// The same documents with their levels in any order, which Intel's library sorts.
void shuffle_levels(Random& random, sim::WorldSpec& spec) {
  std::ranges::shuffle(spec.tcb_info.content.levels, random);
  std::ranges::shuffle(spec.qe_identity.content.levels, random);
}

Json faults_json(const std::vector<Fault>& faults) {
  Json out = Json::array();
  for (const Fault& fault : faults) {
    out.push_back({{"name", fault.name}, {"code", describe(fault.code).name}});
  }
  return out;
}

Json case_json(std::uint64_t seed, const sim::WorldKeys& keys) {
  Random random(seed);
  Json line{{"seed", seed}};
  Case made = make_case(random, keys, line);
  if (chance(random, 25)) {
    line["ordered"] =
        Json::parse(format_collateral(sim::build_world(made.spec).value().collateral));
    shuffle_levels(random, made.spec);
  }
  Trial trial(made.spec);
  trial.policy = permissive(trial.world);
  trial.now = made.now;
  const Bytes quote = trial.quote();
  line["defect"] = made.defect;
  line["faults"] = faults_json(made.faults);
  line["has_module"] = made.has_module;
  line["module"] = made.module ? Json{{"status", to_string(made.module->status)},
                                      {"advisories", made.module->advisories}}
                               : Json(nullptr);
  line["is_debug_qe"] = (made.spec.quote.qe_report.attributes.bytes[0] & kAttributeDebug) != 0;
  line["quote"] = to_hex(quote);
  line["collateral"] = Json::parse(format_collateral(trial.world.collateral));
  line["root"] = to_hex(trial.world.root_der);
  line["now"] = trial.now.time_since_epoch().count();
  line["ours"] = verdict_json(trial.judge_quote(quote));
  return line;
}

int run(std::uint64_t seed, int count) {
  sim::WorldKeys keys;
  for (sim::Key* key :
       {&keys.root, &keys.pck_ca, &keys.pck, &keys.tcb_signing, &keys.attestation}) {
    *key = sim::make_key().value();
  }
  for (int i = 0; i < count; ++i) {
    std::printf("%s\n", case_json(seed + static_cast<std::uint64_t>(i), keys).dump().c_str());
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
