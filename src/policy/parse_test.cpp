// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "ratls/policy.h"

namespace ratls {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kHash(64, 'a');
const std::string kEnclave = "[[enclave]]\nmr_enclave = \"" + kHash + "\"\n";
const std::string kMinimal = "version = 1\n" + kEnclave;
const std::string kSigner = "version = 1\n[[enclave]]\nmr_signer = \"" + kHash + "\"\n";

Result<Policy> parse(const std::string& text) { return parse_policy(text, "."); }

Code code_of(const std::string& text) {
  const auto parsed = parse(text);
  return parsed ? Code::ok : parsed.error().code();
}

std::string place_of(const std::string& text) {
  const auto parsed = parse(text);
  return parsed ? "" : parsed.error().where();
}

class PolicyFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "ratls_policy_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  void write(const std::string& name, const std::string& content) {
    std::ofstream(dir_ / name, std::ios::binary) << content;
  }
  std::filesystem::path dir_;
};

TEST(ParsePolicy, HasTheDefaultsOfTheContract) {
  const auto policy = parse(kMinimal);
  ASSERT_TRUE(policy.has_value()) << policy.error().message();
  ASSERT_EQ(policy->enclaves.size(), 1u);
  EXPECT_EQ(to_hex(*policy->enclaves[0].mr_enclave), kHash);
  EXPECT_THAT(policy->tcb.accept, ElementsAre(TcbStatus::up_to_date));
  EXPECT_FALSE(policy->tcb.accept_advisories.has_value());
  EXPECT_TRUE(policy->tcb.reject_advisories.empty());
  EXPECT_EQ(policy->tcb.min_evaluation_number, 0u);
  EXPECT_EQ(policy->tcb.out_of_date_grace, std::chrono::seconds(0));
  EXPECT_EQ(policy->tcb.max_collateral_age, std::chrono::days(30));
  EXPECT_FALSE(policy->platform.fmspc || policy->platform.ppid || policy->platform.pck_ca);
  EXPECT_THAT(policy->collateral.sources, ElementsAre("pcs"));
  EXPECT_EQ(policy->collateral.update, CollateralPolicy::Update::standard);
  EXPECT_FALSE(policy->session.fresh);
  EXPECT_FALSE(policy->session.check_name);
  EXPECT_FALSE(policy->session.server_keys.has_value());
  EXPECT_EQ(policy->session.max_certificate_lifetime, std::chrono::days(90));
  EXPECT_FALSE(policy->root_pem.has_value());
  EXPECT_FALSE(policy->dangerous_allow_debug);
  EXPECT_FALSE(policy->dangerous_allow_unmeasured_guest);
  EXPECT_TRUE(policy->tds.empty());
  EXPECT_EQ(policy->base_dir, ".");
}

TEST(ParsePolicy, ReadsEveryEnclaveKey) {
  const auto policy =
      parse("version = 1\n[[enclave]]\nname = \"stats 2.1\"\nmr_signer = \"" + kHash +
            "\"\nisv_prod_id = 65535\nmin_isv_svn = 3\nisv_family_id = \"" + std::string(32, '1') +
            "\"\nisv_ext_prod_id = \"" + std::string(32, '2') + "\"\nconfig_id = \"" +
            std::string(128, '3') + "\"\nmin_config_svn = 4\nattributes = \"" +
            std::string(32, '5') + "\"\nattributes_mask = \"" + std::string(32, 'F') +
            "\"\nmisc_select = \"00000001\"\nmisc_select_mask = \"ffffffff\"\n");
  ASSERT_TRUE(policy.has_value()) << policy.error().where();
  const EnclaveIdentity& enclave = policy->enclaves.at(0);
  EXPECT_EQ(enclave.name, "stats 2.1");
  EXPECT_FALSE(enclave.mr_enclave.has_value());
  EXPECT_EQ(to_hex(*enclave.mr_signer), kHash);
  EXPECT_EQ(enclave.isv_prod_id, 65535);
  EXPECT_EQ(enclave.min_isv_svn, 3);
  EXPECT_EQ(to_hex(*enclave.isv_family_id), std::string(32, '1'));
  EXPECT_EQ(to_hex(*enclave.isv_ext_prod_id), std::string(32, '2'));
  EXPECT_EQ(to_hex(*enclave.config_id), std::string(128, '3'));
  EXPECT_EQ(enclave.min_config_svn, 4);
  EXPECT_EQ(to_hex(*enclave.attributes), std::string(32, '5'));
  EXPECT_EQ(to_hex(*enclave.attributes_mask), std::string(32, 'f'));
  EXPECT_EQ(to_hex(*enclave.misc_select), "00000001");
  EXPECT_EQ(to_hex(*enclave.misc_select_mask), "ffffffff");
}

TEST(ParsePolicy, ReadsEveryTable) {
  const auto policy = parse(
      kMinimal +
      "[tcb]\naccept = [\"UpToDate\", \"SWHardeningNeeded\", \"OutOfDate\"]\n"
      "accept_advisories = [\"INTEL-SA-00615\"]\nreject_advisories = [\"INTEL-SA-00219\"]\n"
      "min_evaluation_number = 4294967295\nout_of_date_grace = \"36h\"\n"
      "max_collateral_age = \"7d\"\n"
      "[platform]\nfmspc = [\"00606A000000\"]\nppid = [\"" +
      std::string(32, 'B') +
      "\"]\npck_ca = [\"platform\", \"processor\"]\n"
      "[collateral]\nsources = [\"stapled\", \"https://pccs.example:8081/\", \"file:c.json\"]\n"
      "update = \"early\"\n"
      "[session]\nfresh = true\nmax_certificate_lifetime = \"11000d\"\ncheck_name = true\n"
      "server_keys = [\"" +
      std::string(64, 'C') +
      "\"]\n[trust]\nroot = \"intel\"\n"
      "[dangerous]\nallow_debug = true\nallow_unmeasured_guest = false\n");
  ASSERT_TRUE(policy.has_value()) << policy.error().where() << policy.error().message();
  EXPECT_THAT(policy->tcb.accept, ElementsAre(TcbStatus::up_to_date, TcbStatus::sw_hardening_needed,
                                              TcbStatus::out_of_date));
  EXPECT_THAT(*policy->tcb.accept_advisories, ElementsAre("INTEL-SA-00615"));
  EXPECT_THAT(policy->tcb.reject_advisories, ElementsAre("INTEL-SA-00219"));
  EXPECT_EQ(policy->tcb.min_evaluation_number, 4294967295u);
  EXPECT_EQ(policy->tcb.out_of_date_grace, std::chrono::hours(36));
  EXPECT_EQ(policy->tcb.max_collateral_age, std::chrono::days(7));
  EXPECT_THAT(*policy->platform.fmspc, ElementsAre("00606a000000"));
  EXPECT_THAT(*policy->platform.ppid, ElementsAre(std::string(32, 'b')));
  EXPECT_THAT(*policy->platform.pck_ca, ElementsAre("platform", "processor"));
  EXPECT_THAT(policy->collateral.sources,
              ElementsAre("stapled", "https://pccs.example:8081/", "file:c.json"));
  EXPECT_EQ(policy->collateral.update, CollateralPolicy::Update::early);
  EXPECT_TRUE(policy->session.fresh);
  EXPECT_TRUE(policy->session.check_name);
  EXPECT_EQ(policy->session.max_certificate_lifetime, std::chrono::days(11000));
  ASSERT_EQ(policy->session.server_keys->size(), 1u);
  EXPECT_EQ(to_hex(policy->session.server_keys->at(0)), std::string(64, 'c'));
  EXPECT_FALSE(policy->root_pem.has_value());
  EXPECT_TRUE(policy->dangerous_allow_debug);
}

TEST(ParsePolicy, KeepsSeveralEnclavesInOrder) {
  const auto policy = parse(kMinimal + "[[enclave]]\nmr_enclave = \"" + std::string(64, 'B') +
                            "\"\nisv_prod_id = 0\nmin_isv_svn = 0\n");
  ASSERT_TRUE(policy.has_value());
  ASSERT_EQ(policy->enclaves.size(), 2u);
  EXPECT_EQ(to_hex(*policy->enclaves[1].mr_enclave), std::string(64, 'b'));
  EXPECT_EQ(policy->enclaves[1].isv_prod_id, 0);
}

TEST(ParsePolicy, KeepsEmptyAdvisoryListApartFromNone) {
  const auto policy = parse(kMinimal + "[tcb]\naccept_advisories = []\n");
  ASSERT_TRUE(policy.has_value());
  ASSERT_TRUE(policy->tcb.accept_advisories.has_value());
  EXPECT_TRUE(policy->tcb.accept_advisories->empty());
}

TEST(ParsePolicy, KeepsEmptyPlatformListApartFromNone) {
  const auto policy = parse(kMinimal + "[platform]\nfmspc = []\n");
  ASSERT_TRUE(policy.has_value());
  ASSERT_TRUE(policy->platform.fmspc.has_value());
  EXPECT_TRUE(policy->platform.fmspc->empty());
  EXPECT_FALSE(policy->platform.ppid.has_value());
}

TEST(ParsePolicy, NeedsVersionOne) {
  EXPECT_EQ(code_of(""), Code::policy_invalid);
  EXPECT_EQ(code_of(kEnclave), Code::policy_invalid);
  EXPECT_EQ(code_of("version = 2\nnew_key = 1\n" + kEnclave), Code::policy_invalid);
  EXPECT_THAT(place_of("version = 2\nnew_key = 1\n" + kEnclave), HasSubstr("version"));
  EXPECT_EQ(code_of("version = \"1\"\n" + kEnclave), Code::policy_invalid);
  EXPECT_EQ(code_of("version = true\n" + kEnclave), Code::policy_invalid);
}

TEST(ParsePolicy, RefusesAPolicyWithoutEnclave) {
  EXPECT_EQ(code_of("version = 1\n"), Code::policy_empty);
  EXPECT_EQ(code_of("version = 1\nenclave = []\n"), Code::policy_empty);
}

TEST(ParsePolicy, NamesLineAndKeyOfUnknownKeys) {
  EXPECT_EQ(code_of("version = 1\nenclaves = 1\n" + kEnclave), Code::policy_invalid);
  EXPECT_EQ(place_of("version = 1\nenclaves = 1\n" + kEnclave), "line 2: enclaves");
  EXPECT_EQ(place_of(kMinimal + "mr_enclav = \"x\"\n"), "line 4: enclave.mr_enclav");
  EXPECT_EQ(place_of(kMinimal + "[tcb]\naccepts = []\n"), "line 5: tcb.accepts");
  EXPECT_EQ(place_of(kMinimal + "[platform]\n\ncpu = 1\n"), "line 6: platform.cpu");
  EXPECT_EQ(place_of(kMinimal + "[collateral]\nsource = []\n"), "line 5: collateral.source");
  EXPECT_EQ(place_of(kMinimal + "[session]\nname = 1\n"), "line 5: session.name");
  EXPECT_EQ(place_of(kMinimal + "[trust]\nroots = 1\n"), "line 5: trust.roots");
  EXPECT_EQ(place_of(kMinimal + "[dangerous]\nallow_all = true\n"), "line 5: dangerous.allow_all");
  EXPECT_EQ(place_of(kMinimal + "[other]\n"), "line 4: other");
  EXPECT_EQ(place_of(kMinimal + "[tcb.accept]\n"), "line 4: tcb.accept");
}

TEST(ParsePolicy, RefusesWrongTypes) {
  for (const char* wrong : {"[tcb]\naccept = \"UpToDate\"",
                            "[tcb]\naccept = [1]",
                            "[tcb]\nmin_evaluation_number = -1",
                            "[tcb]\nmin_evaluation_number = 4294967296",
                            "[tcb]\nmin_evaluation_number = \"1\"",
                            "[tcb]\nmin_evaluation_number = 1.0",
                            "[tcb]\nout_of_date_grace = 30",
                            "[tcb]\nmax_collateral_age = \"30\"",
                            "[tcb]\nmax_collateral_age = \"-1d\"",
                            "[tcb]\naccept_advisories = \"INTEL-SA-00615\"",
                            "[session]\nfresh = 1",
                            "[session]\nfresh = \"true\"",
                            "[session]\ncheck_name = 0",
                            "[session]\nserver_keys = \"x\"",
                            "[trust]\nroot = true",
                            "[dangerous]\nallow_debug = \"yes\"",
                            "[dangerous]\nallow_unmeasured_guest = 0",
                            "[collateral]\nsources = \"pcs\"",
                            "[collateral]\nupdate = true",
                            "[platform]\nfmspc = \"00606a000000\"",
                            "[platform]\nfmspc = [[\"00606a000000\"]]",
                            "[[tcb]]",
                            "tcb = 1"}) {
    EXPECT_EQ(code_of(kMinimal + wrong), Code::policy_invalid) << wrong;
  }
  EXPECT_EQ(code_of("version = 1\n[enclave]\nmr_enclave = \"" + kHash + "\"\n"),
            Code::policy_invalid);
  EXPECT_EQ(code_of("version = 1\nenclave = [1]\n"), Code::policy_invalid);
  EXPECT_EQ(code_of(kMinimal + "name = 1\n"), Code::policy_invalid);
  EXPECT_EQ(code_of(kMinimal + "isv_prod_id = 65536\n"), Code::policy_invalid);
  EXPECT_EQ(code_of(kMinimal + "min_isv_svn = -1\n"), Code::policy_invalid);
  EXPECT_EQ(code_of(kMinimal + "min_isv_svn = \"1\"\n"), Code::policy_invalid);
}

TEST(ParsePolicy, RefusesWrongHex) {
  for (const std::string& value :
       {std::string(), std::string(63, 'a'), std::string(66, 'a'), std::string(64, 'g'),
        "0x" + std::string(62, 'a'), std::string("<64 hex>")}) {
    EXPECT_EQ(code_of("version = 1\n[[enclave]]\nmr_enclave = \"" + value + "\"\n"),
              Code::policy_invalid)
        << value;
    EXPECT_EQ(code_of(kMinimal + "[session]\nserver_keys = [\"" + value + "\"]\n"),
              Code::policy_invalid)
        << value;
  }
  EXPECT_EQ(code_of(kMinimal + "config_id = \"" + kHash + "\"\n"), Code::policy_invalid);
}

TEST(ParsePolicy, RefusesAnEntryWithoutIdentity) {
  EXPECT_EQ(code_of("version = 1\n[[enclave]]\nname = \"x\"\n"), Code::policy_invalid);
  EXPECT_EQ(code_of("version = 1\n[[enclave]]\nisv_prod_id = 1\nmin_isv_svn = 1\n"),
            Code::policy_invalid);
  EXPECT_THAT(place_of(kMinimal + "[[enclave]]\n"), HasSubstr("line 4"));
}

TEST(ParsePolicy, RefusesASignerAlone) {
  EXPECT_EQ(code_of(kSigner), Code::policy_invalid);
  EXPECT_EQ(code_of(kSigner + "isv_prod_id = 1\n"), Code::policy_invalid);
  EXPECT_EQ(code_of(kSigner + "min_isv_svn = 1\n"), Code::policy_invalid);
  EXPECT_EQ(code_of(kSigner + "isv_prod_id = 1\nmin_isv_svn = 1\n"), Code::ok);
  EXPECT_EQ(code_of(kSigner + "mr_enclave = \"" + kHash + "\"\n"), Code::ok);
}

TEST(ParsePolicy, RefusesZeroMeasurements) {
  const std::string zero = "\"" + std::string(64, '0') + "\"\n";
  EXPECT_EQ(code_of("version = 1\n[[enclave]]\nmr_enclave = " + zero), Code::policy_invalid);
  EXPECT_EQ(
      code_of("version = 1\n[[enclave]]\nisv_prod_id = 1\nmin_isv_svn = 1\nmr_signer = " + zero),
      Code::policy_invalid);
}

TEST(ParsePolicy, RefusesMasksWithoutValue) {
  EXPECT_EQ(code_of(kMinimal + "attributes_mask = \"" + std::string(32, 'f') + "\"\n"),
            Code::policy_invalid);
  EXPECT_EQ(code_of(kMinimal + "misc_select_mask = \"ffffffff\"\n"), Code::policy_invalid);
}

TEST(ParsePolicy, KnowsIntelsStatusWordsOnly) {
  const auto accept = [](const std::string& word) {
    return code_of(kMinimal + "[tcb]\naccept = [\"UpToDate\", \"" + word + "\"]\n");
  };
  for (const char* word :
       {"SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
        "OutOfDate", "OutOfDateConfigurationNeeded", "TDRelaunchAdvised",
        "TDRelaunchAdvisedConfigurationNeeded"}) {
    EXPECT_EQ(accept(word), Code::ok) << word;
  }
  for (const char* word : {"Revoked", "NotSupported", "uptodate", "Any", "", "*"}) {
    EXPECT_EQ(accept(word), Code::policy_invalid) << word;
  }
}

TEST(ParsePolicy, RefusesAdvisoriesThatCouldNeverMatch) {
  for (const char* id : {"", "INTEL-SA-615", "intel-sa-00615", "INTEL-SA-00615 ", "SA-00615",
                         "INTEL-SA-0061x", "INTEL-SA-", "INTEL-"}) {
    EXPECT_EQ(code_of(kMinimal + "[tcb]\nreject_advisories = [\"" + id + "\"]\n"),
              Code::policy_invalid)
        << id;
    EXPECT_EQ(code_of(kMinimal + "[tcb]\naccept_advisories = [\"" + id + "\"]\n"),
              Code::policy_invalid)
        << id;
  }
}

TEST(ParsePolicy, RefusesWrongPlatforms) {
  for (const char* line :
       {"fmspc = [\"00606a00000\"]", "fmspc = [\"00606a00000g\"]", "fmspc = [\"\"]",
        "ppid = [\"00\"]", "pck_ca = [\"Platform\"]", "pck_ca = [\"root\"]"}) {
    EXPECT_EQ(code_of(kMinimal + "[platform]\n" + line + "\n"), Code::policy_invalid) << line;
  }
}

TEST(ParsePolicy, RefusesWrongSources) {
  const auto with_sources = [](const std::string& list) {
    return code_of(kMinimal + "[collateral]\nsources = [" + list + "]\n");
  };
  EXPECT_EQ(with_sources("\"pcs\", \"file:a b.json\", \"https://h/x\""), Code::ok);
  EXPECT_EQ(with_sources("\"https://[::1]:8081\""), Code::ok);
  EXPECT_EQ(with_sources("\"http://127.0.0.1:8081/\", \"http://localhost\""), Code::ok);
  EXPECT_EQ(with_sources("\"http://127.0.0.1.example/\""), Code::policy_invalid);
  for (const char* list :
       {"", "\"\"", "\"PCS\"", "\"file:\"", "\"collateral.json\"", "\"http://h:8081/\"",
        "\"https://\"", "\"https:///x\"", "\"https://:1/\"", "\"https://user:pw@h/\"",
        "\"https://h/?a=b\"", "\"https://h/#a\"", "\"https://h h/\"", "\"ftp://h/\"", "\"stapled\"",
        "\"pcs\", \"stapled\"", "\"pcs\", \"other\""}) {
    EXPECT_EQ(with_sources(list), Code::policy_invalid) << list;
  }
}

TEST(ParsePolicy, AllowsStapledWithEvaluationNumber) {
  EXPECT_EQ(code_of(kMinimal + "[tcb]\nmin_evaluation_number = 17\n"
                               "[collateral]\nsources = [\"stapled\"]\n"),
            Code::ok);
}

TEST_F(PolicyFiles, HaveTheCaAndTheNumberOfCollateral) {
  write("ca.pem", "a CA");
  const auto policy =
      parse_policy(kMinimal + "[collateral]\nca = \"ca.pem\"\nevaluation_number = 17\n", dir_);
  ASSERT_TRUE(policy.has_value()) << policy.error().message();
  EXPECT_EQ(policy->collateral.ca_pem, "a CA");
  EXPECT_EQ(policy->collateral.evaluation_number, 17u);
  EXPECT_EQ(code_of(kMinimal + "[collateral]\nca = \"missing.pem\"\n"), Code::file_unreadable);
  EXPECT_EQ(code_of(kMinimal + "[collateral]\nupdate = \"early\"\nevaluation_number = 17\n"),
            Code::policy_invalid);
}

TEST(ParsePolicy, RefusesWrongUpdate) {
  EXPECT_EQ(code_of(kMinimal + "[collateral]\nupdate = \"late\"\n"), Code::policy_invalid);
  EXPECT_EQ(code_of(kMinimal + "[collateral]\nupdate = \"standard\"\n"), Code::ok);
}

TEST(ParsePolicy, RefusesWhatThisVersionCannotEnforce) {
  EXPECT_EQ(code_of(kMinimal + "[session]\nca = \"ca.pem\"\n"), Code::policy_invalid);
  EXPECT_EQ(place_of(kMinimal + "[session]\nca = \"ca.pem\"\n"), "line 5: session.ca");
}

TEST(ParsePolicy, RefusesWhatIsTooLarge) {
  EXPECT_EQ(code_of(kMinimal + "#" + std::string(1024 * 1024, 'x')), Code::policy_invalid);
}

TEST_F(PolicyFiles, ReadsTheRootRelativeToTheBase) {
  write("root.pem", "the root");
  const auto policy = parse_policy(kMinimal + "[trust]\nroot = \"root.pem\"\n", dir_);
  ASSERT_TRUE(policy.has_value()) << policy.error().where();
  EXPECT_EQ(policy->root_pem, "the root");
  EXPECT_EQ(policy->base_dir, dir_);
  const std::string absolute = (dir_ / "root.pem").string();
  EXPECT_TRUE(parse_policy(kMinimal + "[trust]\nroot = \"" + absolute + "\"\n", "/").has_value());
}

TEST_F(PolicyFiles, RefusesRootsThatCannotBeRead) {
  write("large.pem", std::string(64 * 1024 + 1, 'x'));
  const auto missing = parse_policy(kMinimal + "[trust]\nroot = \"none.pem\"\n", dir_);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), Code::file_unreadable);
  const auto large = parse_policy(kMinimal + "[trust]\nroot = \"large.pem\"\n", dir_);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code(), Code::file_unreadable);
  const auto empty = parse_policy(kMinimal + "[trust]\nroot = \"\"\n", dir_);
  ASSERT_FALSE(empty.has_value());
  EXPECT_EQ(empty.error().code(), Code::policy_invalid);
}

TEST_F(PolicyFiles, LoadsAFileWithPathsRelativeToIt) {
  write("root.pem", "the root");
  write("policy.toml", kMinimal + "[trust]\nroot = \"root.pem\"\n");
  const auto policy = load_policy(dir_ / "policy.toml");
  ASSERT_TRUE(policy.has_value()) << policy.error().where();
  EXPECT_EQ(policy->root_pem, "the root");
  EXPECT_EQ(policy->base_dir, dir_);
}

TEST_F(PolicyFiles, NamesTheFileInErrors) {
  write("policy.toml", kMinimal + "x = 1\n");
  const auto policy = load_policy(dir_ / "policy.toml");
  ASSERT_FALSE(policy.has_value());
  EXPECT_EQ(policy.error().code(), Code::policy_invalid);
  EXPECT_EQ(policy.error().where(), (dir_ / "policy.toml").string() + ": line 4: enclave.x");
}

TEST_F(PolicyFiles, RefusesFilesThatCannotBeRead) {
  const auto missing = load_policy(dir_ / "none.toml");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), Code::file_unreadable);
  const auto folder = load_policy(dir_);
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().code(), Code::file_unreadable);
}

// Whatever is done to a valid policy, it is read or refused; never a crash.
TEST(ParsePolicy, SurvivesEveryTruncationAndFlip) {
  const std::string whole =
      kMinimal +
      "[tcb]\naccept = [\"UpToDate\"]\nout_of_date_grace = \"1d\"\n[platform]\n"
      "fmspc = [\"00606a000000\"]\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto parsed = parse(whole.substr(0, size));
    EXPECT_TRUE(parsed.has_value() || exit_code(parsed.error().code()) == 2) << size;
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const auto parsed = parse(changed);
      EXPECT_TRUE(parsed.has_value() || exit_code(parsed.error().code()) == 2) << i;
    }
  }
}

}  // namespace
}  // namespace ratls
