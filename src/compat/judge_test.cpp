// SPDX-License-Identifier: Apache-2.0
#include "compat/judge.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <fstream>

#include "compat/results.h"
#include "support/source_dir.h"
#include "support/temporary_dir.h"
#include "verifier/trial.h"

namespace ratls::compat {
namespace {

using testing::TemporaryDir;
using testing::Trial;

// The dcap numbers of Intel's library.
constexpr int kOk = 0;
constexpr int kUnspecified = 0xa006;
constexpr int kUnexpected = 0xe001;

sim::WorldSpec with_status(TcbStatus status) {
  sim::WorldSpec spec = sim::plan_world().value();
  spec.tcb_info.content.levels[0].status = status;
  return spec;
}

// A world, the file that trusts it, and a certificate of its enclave.
class World {
 public:
  explicit World(const sim::WorldSpec& spec = sim::plan_world().value(), std::string more = "")
      : trial(spec), certificate(trial.attested_certificate()) {
    write("root.pem", trial.world.root_pem);
    write("collateral.json", format_collateral(trial.world.collateral));
    write("compat.toml",
          "version = 1\n[collateral]\nsources = [\"file:collateral.json\"]\n[trust]\nroot = "
          "\"root.pem\"\n" +
              more);
    judge = std::make_unique<Judge>(dir_.path() / "compat.toml");
    const EnclaveReport& enclave = trial.world.quote_spec.report;
    rules.variables.mr_enclave = to_hex(enclave.mr_enclave);
    rules.variables.mr_signer = to_hex(enclave.mr_signer);
    rules.variables.isv_prod_id = std::to_string(enclave.isv_prod_id);
    rules.variables.isv_svn = std::to_string(enclave.isv_svn);
  }
  void write(const std::string& name, const std::string& content) {
    std::ofstream(dir_.path() / name, std::ios::binary) << content;
  }
  Judgement outcome() { return judge->judge(certificate, rules, trial.now); }
  Code code() {
    const Judgement judgement = outcome();
    return judgement.refusal ? judgement.refusal->code() : Code::ok;
  }

  Trial trial;
  Bytes certificate;
  std::unique_ptr<Judge> judge;
  Rules rules;

 private:
  TemporaryDir dir_;
};

// Gramine's layout.
static_assert(sizeof(ra_tls_verify_callback_results) == 136);
static_assert(offsetof(ra_tls_verify_callback_results, dcap) == 8);
static_assert(offsetof(ra_tls_verify_callback_results, epid) == 8);

ra_tls_verify_callback_results results_of(const Judgement& judgement) {
  ra_tls_verify_callback_results results;
  fill_results(judgement, results);
  return results;
}

// Refused by this step with this value, and with these numbers of Intel's.
void expect_refusal(const Judgement& judgement, Code code, ra_tls_err_loc_t step, int value,
                    int function_result = kUnexpected, int verification_result = kUnspecified) {
  ASSERT_TRUE(judgement.refusal.has_value());
  EXPECT_EQ(judgement.refusal->code(), code) << judgement.refusal->message();
  const auto results = results_of(judgement);
  EXPECT_EQ(results.attestation_scheme, RA_TLS_ATTESTATION_SCHEME_DCAP);
  EXPECT_EQ(results.err_loc, step);
  EXPECT_EQ(return_value(code), value);
  EXPECT_EQ(results.dcap.func_verify_quote_result, function_result);
  EXPECT_EQ(results.dcap.quote_verification_result, verification_result);
}

TEST(Judge, AcceptsWhatAllVariablesName) {
  World world;
  const Judgement judgement = world.outcome();
  EXPECT_FALSE(judgement.refusal) << judgement.refusal->message();
  EXPECT_FALSE(judgement.any_product_or_version);
  const auto results = results_of(judgement);
  EXPECT_EQ(results.attestation_scheme, RA_TLS_ATTESTATION_SCHEME_DCAP);
  EXPECT_EQ(results.err_loc, AT_NONE);
  EXPECT_EQ(results.dcap.func_verify_quote_result, kOk);
  EXPECT_EQ(results.dcap.quote_verification_result, kOk);
}

TEST(Judge, AcceptsEachFormat) {
  World world;
  CertificateOptions dice_only;
  dice_only.legacy_extension = false;
  world.certificate = world.trial.attested_certificate(dice_only);
  EXPECT_EQ(world.code(), Code::ok);

  const auto key = crypto::PrivateKey::generate(crypto::KeyType::p384).value();
  x509::CertificateSpec spec;
  spec.serial = {1};
  spec.subject = spec.issuer = {{"CN", "RATLS"}};
  spec.not_before = parse_time("2001-01-01T00:00:00Z", "").value();
  spec.not_after = parse_time("2030-12-31T23:59:59Z", "").value();
  spec.subject_spki = key.spki_der().value();
  const BytesView oid = evidence::gramine_legacy_oid();
  const Bytes quote = world.trial.world.quote(evidence::report_data_for(spec.subject_spki)).value();
  spec.extensions = {{x509::Oid(oid.begin(), oid.end()), false, quote}};
  world.certificate = x509::build_certificate(spec, key).value();
  EXPECT_EQ(world.code(), Code::ok);
}

TEST(Judge, KeepsALifetimeThatTheFileStates) {
  const std::string limit = "[session]\nmax_certificate_lifetime = \"1h\"\n";
  World world(sim::plan_world().value(), limit);
  expect_refusal(world.outcome(), Code::certificate_lifetime, AT_EXTRACT_QUOTE, -0x2700, kOk, kOk);
}

TEST(Judge, ComparesEachVariable) {
  const auto refuses = [](std::optional<std::string> Variables::*field, const std::string& value) {
    World world;
    world.rules.variables.*field = value;
    expect_refusal(world.outcome(), Code::identity_mismatch, AT_VERIFY_ENCLAVE_MEASUREMENTS,
                   -0x2700, kOk, kOk);
    // Whatever else is left open.
    for (const auto other : {&Variables::mr_enclave, &Variables::mr_signer, &Variables::isv_prod_id,
                             &Variables::isv_svn}) {
      if (other != field) world.rules.variables.*other = "any";
    }
    if (field == &Variables::isv_prod_id || field == &Variables::isv_svn) {
      world.rules.variables.mr_signer = to_hex(world.trial.world.quote_spec.report.mr_signer);
    }
    EXPECT_EQ(world.code(), Code::identity_mismatch);
  };
  refuses(&Variables::mr_enclave, std::string(64, '7'));
  refuses(&Variables::mr_signer, std::string(64, '7'));
  refuses(&Variables::isv_prod_id, "4711");
  refuses(&Variables::isv_svn, "60000");
}

TEST(Judge, TakesTheVersionAsTheLowest) {
  World world;
  world.rules.variables.isv_svn = "0";
  EXPECT_EQ(world.code(), Code::ok);
}

TEST(Judge, ReportsASignerWithAnyProductOrVersion) {
  for (const auto field : {&Variables::isv_prod_id, &Variables::isv_svn}) {
    World world;
    world.rules.variables.*field = "any";
    EXPECT_FALSE(world.outcome().any_product_or_version);
    world.rules.variables.mr_enclave = "any";
    const Judgement judgement = world.outcome();
    EXPECT_TRUE(judgement.any_product_or_version);
    EXPECT_FALSE(judgement.refusal);
  }
}

TEST(Judge, RefusesWhenNothingIsNamed) {
  World world;
  world.rules.variables.mr_enclave = world.rules.variables.mr_signer = "any";
  expect_refusal(world.outcome(), Code::policy_empty, AT_VERIFY_ENCLAVE_MEASUREMENTS, -0x2700);
  world.rules.variables = {};
  EXPECT_EQ(world.code(), Code::policy_empty);
}

// Which statuses are accepted with which flags: as in Gramine, two for the ones that join two.
TEST(Judge, AcceptsStatusesAsTheFlagsSay) {
  struct Case {
    TcbStatus status;
    int number;
    bool outdated, hw_config, sw_hardening;  // what it needs
  };
  for (const Case& one : {
           Case{TcbStatus::up_to_date, 0, false, false, false},
           Case{TcbStatus::configuration_needed, 0xa001, false, true, false},
           Case{TcbStatus::out_of_date, 0xa002, true, false, false},
           Case{TcbStatus::out_of_date_configuration_needed, 0xa003, true, true, false},
           Case{TcbStatus::sw_hardening_needed, 0xa007, false, false, true},
           Case{TcbStatus::configuration_and_sw_hardening_needed, 0xa008, false, true, true},
       }) {
    World world(with_status(one.status));
    for (unsigned flags = 0; flags < 8; ++flags) {
      auto& conditions = world.rules.variables.conditions;
      conditions.out_of_date = (flags & 1) != 0;
      conditions.configuration_needed = (flags & 2) != 0;
      conditions.sw_hardening_needed = (flags & 4) != 0;
      const bool accepted = (conditions.out_of_date || !one.outdated) &&
                            (conditions.configuration_needed || !one.hw_config) &&
                            (conditions.sw_hardening_needed || !one.sw_hardening);
      const Judgement judgement = world.outcome();
      EXPECT_EQ(!judgement.refusal, accepted) << to_string(one.status) << " with " << flags;
      const auto results = results_of(judgement);
      EXPECT_EQ(results.err_loc, accepted ? AT_NONE : AT_VERIFY_EXTERNAL);
      EXPECT_EQ(results.dcap.func_verify_quote_result, kOk);
      EXPECT_EQ(results.dcap.quote_verification_result, one.number);
    }
  }
}

TEST(Judge, NeverAcceptsARevokedPlatform) {
  World world(with_status(TcbStatus::revoked));
  world.rules.variables.conditions = {true, true, true};
  world.rules.variables.allow_debug = true;
  expect_refusal(world.outcome(), Code::tcb_revoked, AT_VERIFY_EXTERNAL, -0x2700, kOk, 0xa005);
}

TEST(Judge, NeverAcceptsExpiredCollateral) {
  World world;
  world.rules.variables.conditions = {true, true, true};
  world.trial.now += std::chrono::days(31);
  world.certificate = world.trial.attested_certificate();
  const Judgement judgement = world.outcome();
  ASSERT_TRUE(judgement.refusal);
  EXPECT_EQ(exit_code(judgement.refusal->code()), 5) << judgement.refusal->message();
  EXPECT_EQ(results_of(judgement).err_loc, AT_VERIFY_EXTERNAL);
}

TEST(Judge, AcceptsADebugEnclaveOnlyWithItsFlag) {
  sim::WorldSpec spec = sim::plan_world().value();
  spec.quote.report.attributes.bytes[0] |= kAttributeDebug;
  World world(spec);
  expect_refusal(world.outcome(), Code::enclave_debug, AT_VERIFY_ENCLAVE_ATTRS, -0x2700, kOk, kOk);
  world.rules.variables.allow_debug = true;
  EXPECT_EQ(world.code(), Code::ok);
}

TEST(Judge, RefusesABrokenCertificate) {
  World world;
  const Bytes good = world.certificate;
  world.certificate.pop_back();
  expect_refusal(world.outcome(), Code::certificate_malformed, AT_EXTRACT_QUOTE, -0x2180);
  world.certificate = x509::der_sequence({});
  EXPECT_EQ(world.code(), Code::certificate_malformed);
  world.certificate = good;
  world.certificate[good.size() - 5] ^= 1;  // its signature
  expect_refusal(world.outcome(), Code::certificate_untrusted, AT_EXTRACT_QUOTE, -0x2700, kOk, kOk);
}

TEST(Judge, RefusesAForeignRootWithoutCollateral) {
  World world;
  world.certificate = Trial(sim::plan_world().value()).attested_certificate();
  expect_refusal(world.outcome(), Code::root_untrusted, AT_VERIFY_EXTERNAL, -0x2700);
}

TEST(Judge, RefusesAGuest) {
  sim::WorldBasics basics;
  basics.td = sim::default_td();
  World world;
  world.certificate = Trial(sim::plan_world(basics).value()).attested_certificate();
  expect_refusal(world.outcome(), Code::quote_unsupported, AT_VERIFY_EXTERNAL, -0x2700);
}

TEST(Judge, NeedsItsFile) {
  World world;
  world.judge = std::make_unique<Judge>("/nonexistent/compat.toml");
  expect_refusal(world.outcome(), Code::file_unreadable, AT_INIT, -0x3000);
  World empty;
  empty.write("compat.toml", "");
  EXPECT_EQ(empty.code(), Code::policy_invalid);
  World named;
  named.write("compat.toml",
              "version = 1\n[[enclave]]\nmr_enclave = \"" + std::string(64, '1') + "\"\n");
  EXPECT_EQ(named.code(), Code::policy_invalid);
}

TEST(Judge, RefusesWhatOnlyASessionCouldProve) {
  for (const std::string field : {"fresh", "check_name"}) {
    World world(sim::plan_world().value(), "[session]\n" + field + " = true\n");
    for (int i = 0; i < 2; ++i) {
      const Judgement judgement = world.outcome();
      expect_refusal(judgement, Code::policy_invalid, AT_INIT, -0x3000);
      EXPECT_EQ(judgement.refusal->where(), "session." + field);
    }
    World without(sim::plan_world().value(), "[session]\n" + field + " = false\n");
    EXPECT_EQ(without.code(), Code::ok);
  }
}

TEST(Judge, CouldUseTheFileThatIsShipped) {
  const auto policy = load_policy_base(testing::source_dir() / "deploy/gramine-compat/compat.toml");
  ASSERT_TRUE(policy.has_value()) << policy.error().message();
  EXPECT_FALSE(policy->root_pem.has_value());
  EXPECT_EQ(policy->tcb.accept, std::vector{TcbStatus::up_to_date});
}

TEST(Judge, HasNoCollateralWithoutItsSource) {
  World world;
  world.write("collateral.json", "");
  const Judgement judgement = world.outcome();
  ASSERT_TRUE(judgement.refusal);
  EXPECT_EQ(results_of(judgement).err_loc, AT_VERIFY_EXTERNAL);
  EXPECT_EQ(return_value(judgement.refusal->code()), -0x2700);
}

// What the callback was shown, and what it is to answer.
struct Shown {
  int calls = 0;
  int answer = 0;
  MrEnclave mr_enclave;
  MrSigner mr_signer;
  std::uint16_t isv_prod_id = 0;
  std::uint16_t isv_svn = 0;
};
thread_local Shown shown;

std::uint16_t number_at(const char* bytes) {
  return *static_cast<const std::uint16_t*>(static_cast<const void*>(bytes));
}

int look(const char* mr_enclave, const char* mr_signer, const char* isv_prod_id,
         const char* isv_svn) {
  ++shown.calls;
  std::copy_n(mr_enclave, MrEnclave::kSize, shown.mr_enclave.bytes.begin());
  std::copy_n(mr_signer, MrSigner::kSize, shown.mr_signer.bytes.begin());
  shown.isv_prod_id = number_at(isv_prod_id);
  shown.isv_svn = number_at(isv_svn);
  return shown.answer;
}

TEST(JudgeWithCallback, ShowsWhatWasProven) {
  sim::WorldSpec spec = sim::plan_world().value();
  spec.quote.report.isv_prod_id = 0x1234;
  spec.quote.report.isv_svn = 0x5678;
  World world(spec);
  world.rules.variables = {};  // nobody asks them
  world.rules.callback = look;
  shown = {};
  EXPECT_EQ(world.code(), Code::ok);
  EXPECT_EQ(shown.calls, 1);
  EXPECT_EQ(shown.mr_enclave, spec.quote.report.mr_enclave);
  EXPECT_EQ(shown.mr_signer, spec.quote.report.mr_signer);
  EXPECT_EQ(shown.isv_prod_id, 0x1234);
  EXPECT_EQ(shown.isv_svn, 0x5678);
}

TEST(JudgeWithCallback, RefusesEveryAnswerButZero) {
  World world;
  world.rules.callback = look;
  for (const int answer : {-1, 1, -0x2700, 256}) {
    shown = {};
    shown.answer = answer;
    expect_refusal(world.outcome(), Code::identity_mismatch, AT_VERIFY_ENCLAVE_MEASUREMENTS,
                   -0x2700, kOk, kOk);
    EXPECT_EQ(shown.calls, 1);
  }
}

TEST(JudgeWithCallback, IsNotAskedAboutAMeasurementOfZeros) {
  sim::WorldSpec spec = sim::plan_world().value();
  spec.quote.report.mr_enclave = {};
  World world(spec);
  world.rules.callback = look;
  shown = {};
  expect_refusal(world.outcome(), Code::identity_mismatch, AT_VERIFY_ENCLAVE_MEASUREMENTS, -0x2700);
  EXPECT_EQ(shown.calls, 0);
}

// A certificate that brings collateral of this evaluation number, of a world under the same root.
Bytes endorsed(const sim::WorldSpec& plan, const sim::World& first, std::uint32_t number) {
  sim::WorldSpec spec = plan;
  spec.root.issued = first.root_der;
  spec.tcb_info.content.evaluation_number = number;
  spec.qe_identity.content.evaluation_number = number;
  const sim::World world = sim::build_world(spec).value();
  const auto attester =
      Attester::create([&](const ReportData& data) { return world.quote(data); }, {}).value();
  auto made = attester.certify(sim::kWorldTime).value();
  EXPECT_TRUE(made.endorse(format_endorsements(world.collateral)).has_value());
  return made.certificate_der();
}

TEST(JudgeWithCallback, RaisesTheHighestNumbersOnlyWhenItAccepts) {
  const TemporaryDir cache;
  ::setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  const sim::WorldSpec plan = sim::plan_world().value();
  World world(plan);
  world.write("compat.toml",
              "version = 1\n[collateral]\nsources = [\"stapled\"]\n[tcb]\n"
              "min_evaluation_number = 1\n[trust]\nroot = \"root.pem\"\n");
  const std::uint32_t usual = plan.tcb_info.content.evaluation_number;
  std::array<Bytes, 3> certificates;
  for (std::uint32_t i = 0; i < 3; ++i) {
    certificates[i] = endorsed(plan, world.trial.world, usual + i);
  }
  const auto code = [&](std::size_t which, verify_measurements_cb_t callback, int answer) {
    world.certificate = certificates[which];
    world.rules.callback = callback;
    shown = {};
    shown.answer = answer;
    return world.code();
  };
  EXPECT_EQ(code(1, look, -1), Code::identity_mismatch);
  EXPECT_EQ(code(0, look, 0), Code::ok) << "a refused enclave has raised the numbers";
  EXPECT_EQ(code(1, look, 0), Code::ok);
  EXPECT_EQ(code(0, look, 0), Code::collateral_superseded);
  EXPECT_EQ(code(2, nullptr, 0), Code::ok);
  EXPECT_EQ(code(1, nullptr, 0), Code::collateral_superseded);
}

TEST(JudgeWithCallback, IsNotAskedAboutWhatIsNotGenuine) {
  shown = {};
  sim::WorldSpec debug = sim::plan_world().value();
  debug.quote.report.attributes.bytes[0] |= kAttributeDebug;
  for (const sim::WorldSpec& spec : {debug, with_status(TcbStatus::out_of_date)}) {
    World world(spec);
    world.rules.callback = look;
    EXPECT_NE(world.code(), Code::ok);
  }
  World world;
  world.rules.callback = look;
  world.certificate = Trial(sim::plan_world().value()).attested_certificate();
  EXPECT_EQ(world.code(), Code::root_untrusted);
  EXPECT_EQ(shown.calls, 0);
}

}  // namespace
}  // namespace ratls::compat
