// SPDX-License-Identifier: Apache-2.0
#include "sim/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/reader.h"
#include "collateral/parts.h"
#include "sim/world.h"
#include "support/temporary_dir.h"
#include "x509/crl.h"

namespace ratls::sim {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr UnixTime kNow{std::chrono::seconds(1768478400)};

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

std::string text_of(const fs::path& path) {
  const auto bytes = read_file(path, 1024 * 1024);
  return bytes ? std::string(as_text(*bytes)) : "(unreadable)";
}

void put(const fs::path& path, std::string_view text) {
  ASSERT_TRUE(replace_file(path, as_bytes(text), FileMode::shared).has_value());
}

class PlatformTest : public ::testing::Test {
 protected:
  Code init(const PlatformOptions& options = {}, UnixTime now = kNow) const {
    const auto platform = Platform::init(dir_, options, now);
    return platform ? Code::ok : platform.error().code();
  }
  Code load() const {
    const auto platform = Platform::load(dir_);
    return platform ? Code::ok : platform.error().code();
  }
  std::shared_ptr<const PreparedCollateral> collateral() const {
    const auto parsed = parse_collateral(text_of(dir_ / "collateral.json")).value();
    const auto root = TrustRoot::from_pem(as_bytes(text_of(dir_ / "root.pem"))).value();
    return PreparedCollateral::prepare(parsed, root, "file");
  }
  std::size_t file_count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(dir_), fs::directory_iterator()));
  }

  ratls::testing::TemporaryDir parent_;
  fs::path dir_ = parent_.path() / "data" / "sim";
};

TEST_F(PlatformTest, InitMakesFilesThatOnlyTheOwnerCanReach) {
  ASSERT_EQ(init(), Code::ok);
  EXPECT_EQ(mode_of(dir_), 0700U);
  EXPECT_EQ(mode_of(dir_ / "state.json"), 0600U);
  EXPECT_EQ(file_count(), 4U);
  EXPECT_THAT(text_of(dir_ / "root.pem"), Not(HasSubstr("PRIVATE KEY")));
  EXPECT_THAT(text_of(dir_ / "collateral.json"), Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(PlatformTest, PolicyHasTheFormOfTheContract) {
  PlatformOptions options;
  options.mr_enclave.emplace().bytes.fill(0xAB);
  options.debug = true;
  ASSERT_EQ(init(options), Code::ok);
  const std::string policy = text_of(dir_ / "policy.toml");
  EXPECT_THAT(policy, HasSubstr("\nversion = 1\n"));
  EXPECT_THAT(policy, HasSubstr("\n[[enclave]]\nname = \""));
  EXPECT_THAT(policy, HasSubstr("\nmr_enclave = \"abababab"));
  EXPECT_THAT(policy, HasSubstr("\nsources = [\"file:collateral.json\"]\n"));
  EXPECT_THAT(policy, HasSubstr("\nroot = \"root.pem\"\n"));
  EXPECT_THAT(policy, Not(HasSubstr("allow_debug")));
}

TEST_F(PlatformTest, QuoteCarriesIdentityAndReportData) {
  PlatformOptions options;
  options.mr_enclave.emplace().bytes.fill(0xAB);
  options.isv_svn = 7;
  ASSERT_EQ(init(options), Code::ok);
  const Platform platform = Platform::load(dir_).value();
  ReportData report_data;
  report_data.bytes.fill(0x5A);
  const Quote quote = parse_quote(platform.quote(report_data).value()).value();
  EXPECT_EQ(quote.header.version, 3);
  EXPECT_EQ(quote.signature.certification_data.type, CertificationType::pck_chain);
  EXPECT_EQ(quote.report_data(), report_data);
  EXPECT_EQ(quote.enclave()->mr_enclave, *options.mr_enclave);
  EXPECT_EQ(quote.enclave()->isv_svn, 7);
  EXPECT_FALSE(quote.enclave()->debug());
  EXPECT_EQ(platform.enclave()->mr_enclave, *options.mr_enclave);
}

TEST_F(PlatformTest, DebugIsInTheReport) {
  PlatformOptions options;
  options.debug = true;
  ASSERT_EQ(init(options), Code::ok);
  EXPECT_TRUE(Platform::load(dir_).value().enclave()->debug());
}

TEST_F(PlatformTest, OfTdxMakesQuotesOfItsTd) {
  PlatformOptions options;
  options.tee = Tee::tdx;
  ASSERT_EQ(init(options), Code::ok);
  const Platform platform = Platform::load(dir_).value();
  ASSERT_NE(platform.td(), nullptr);
  EXPECT_EQ(platform.enclave(), nullptr);
  ReportData report_data;
  report_data.bytes.fill(0x5A);
  const Quote quote = parse_quote(platform.quote(report_data).value()).value();
  EXPECT_EQ(quote.header.version, 4);
  ASSERT_NE(quote.td(), nullptr);
  EXPECT_EQ(quote.report_data(), report_data);
  EXPECT_EQ(quote.td()->mr_td, platform.td()->mr_td);
  EXPECT_EQ(quote.td()->rtmr, platform.td()->rtmr);
  EXPECT_NE(quote.td()->mr_td, default_td().mr_td);
  EXPECT_FALSE(quote.td()->debug());
  EXPECT_EQ(collateral()->parts().tcb_info->content.id, tcb::TcbInfo::Id::tdx);
  EXPECT_EQ(collateral()->parts().qe_identity->content.id, tcb::QeIdentity::Id::td_qe);
}

TEST_F(PlatformTest, OfTdxWritesAPolicyForItsTd) {
  PlatformOptions options;
  options.tee = Tee::tdx;
  ASSERT_EQ(init(options), Code::ok);
  const Platform platform = Platform::load(dir_).value();
  const TdReport& td = *platform.td();
  EXPECT_THAT(text_of(dir_ / "policy.toml"),
              HasSubstr("version = 1\n\n[[td]]\nname = \"simulated TD\"\nmr_td = \"" +
                        to_hex(td.mr_td) + "\"\nrtmr1 = \"" + to_hex(td.rtmr[1]) +
                        "\"\nrtmr2 = \"" + to_hex(td.rtmr[2]) + "\"\n\n[collateral]\n"));
}

TEST_F(PlatformTest, OfTdxKeepsItsTd) {
  PlatformOptions options;
  options.tee = Tee::tdx;
  options.debug = true;
  ASSERT_EQ(init(options), Code::ok);
  const TdReport before = *Platform::load(dir_).value().td();
  EXPECT_TRUE(before.debug());
  ASSERT_EQ(init(), Code::ok);
  ASSERT_EQ(init(options), Code::ok);
  const TdReport after = *Platform::load(dir_).value().td();
  EXPECT_EQ(after.mr_td, before.mr_td);
  EXPECT_EQ(after.rtmr, before.rtmr);
  EXPECT_TRUE(after.debug());
  options.tee = Tee::sgx;
  EXPECT_EQ(init(options), Code::usage);
}

TEST_F(PlatformTest, OfTdxHasNoEnclave) {
  PlatformOptions options;
  options.tee = Tee::tdx;
  options.isv_svn = 1;
  EXPECT_EQ(init(options), Code::usage);
  EXPECT_EQ(load(), Code::platform_unavailable);
  options.isv_svn.reset();
  ASSERT_EQ(init(options), Code::ok);
  PlatformOptions enclave;
  enclave.mr_enclave.emplace();
  EXPECT_EQ(init(enclave), Code::usage);
}

TEST_F(PlatformTest, OfSgxDoesNotBecomeTdx) {
  ASSERT_EQ(init(), Code::ok);
  PlatformOptions options;
  options.tee = Tee::tdx;
  EXPECT_EQ(init(options), Code::usage);
  options.tee = Tee::sgx;
  EXPECT_EQ(init(options), Code::ok);
}

TEST_F(PlatformTest, CollateralBelongsToTheQuotesChain) {
  ASSERT_EQ(init(), Code::ok);
  const Quote quote = parse_quote(Platform::load(dir_).value().quote({}).value()).value();
  const auto chain =
      x509::parse_pem_chain(quote.signature.certification_data.body, 3, Code::internal).value();
  const auto prepared = collateral();
  const auto& parts = prepared->parts();
  ASSERT_TRUE(parts.tcb_info.has_value() && parts.qe_identity.has_value());
  ASSERT_TRUE(parts.pck_crl_signer.has_value());
  EXPECT_EQ(parts.pck_crl_signer->certificate.der, chain[1].der);
  EXPECT_EQ(x509::to_pem(chain[2].der, "CERTIFICATE"), text_of(dir_ / "root.pem"));
  EXPECT_GE(parts.tcb_info->content.next_update, kNow + std::chrono::days(30));
}

TEST_F(PlatformTest, TwoPlatformsHaveNothingInCommon) {
  ASSERT_EQ(init(), Code::ok);
  const auto other_dir = parent_.path() / "other";
  ASSERT_TRUE(Platform::init(other_dir, {}, kNow).has_value());
  EXPECT_NE(text_of(dir_ / "root.pem"), text_of(other_dir / "root.pem"));
  EXPECT_NE(Platform::load(dir_).value().enclave()->mr_enclave,
            Platform::load(other_dir).value().enclave()->mr_enclave);
}

TEST_F(PlatformTest, SecondInitRenewsCollateralAndKeepsTheRest) {
  PlatformOptions options;
  options.isv_svn = 3;
  options.debug = true;
  ASSERT_EQ(init(options), Code::ok);
  const std::string root = text_of(dir_ / "root.pem");
  const EnclaveReport enclave = *Platform::load(dir_).value().enclave();
  const auto before = collateral();
  put(dir_ / "policy.toml", "edited");

  const UnixTime later = kNow + std::chrono::days(20);
  ASSERT_EQ(init({}, later), Code::ok);
  EXPECT_EQ(text_of(dir_ / "root.pem"), root);
  EXPECT_EQ(text_of(dir_ / "policy.toml"), "edited");
  const EnclaveReport after_enclave = *Platform::load(dir_).value().enclave();
  EXPECT_EQ(after_enclave.mr_enclave, enclave.mr_enclave);
  EXPECT_EQ(after_enclave.mr_signer, enclave.mr_signer);
  EXPECT_EQ(after_enclave.isv_svn, 3);
  EXPECT_TRUE(after_enclave.debug());
  const auto after = collateral();
  EXPECT_EQ(after->parts().root_crl->next_update, later + std::chrono::days(30));
  EXPECT_EQ(after->parts().tcb_info->content.next_update, later + std::chrono::days(30));
  EXPECT_GT(*after->parts().pck_crl->crl_number, *before->parts().pck_crl->crl_number);
  EXPECT_GT(*after->parts().root_crl->crl_number, *before->parts().root_crl->crl_number);
}

TEST_F(PlatformTest, SecondInitMayRepeatTheIdentity) {
  PlatformOptions options;
  options.mr_enclave.emplace().bytes.fill(1);
  options.mr_signer.emplace().bytes.fill(2);
  options.isv_prod_id = 3;
  options.isv_svn = 4;
  options.debug = true;
  ASSERT_EQ(init(options), Code::ok);
  EXPECT_EQ(init(options), Code::ok);
}

TEST_F(PlatformTest, AnotherIdentityIsRefusedAndChangesNothing) {
  ASSERT_EQ(init(), Code::ok);
  const std::string collateral_text = text_of(dir_ / "collateral.json");
  PlatformOptions other_enclave, other_signer, other_product, other_version, debug;
  other_enclave.mr_enclave.emplace();
  other_signer.mr_signer.emplace();
  other_product.isv_prod_id = 9;
  other_version.isv_svn = 9;
  debug.debug = true;
  for (const auto& options : {other_enclave, other_signer, other_product, other_version, debug}) {
    EXPECT_EQ(init(options), Code::usage);
  }
  EXPECT_EQ(text_of(dir_ / "collateral.json"), collateral_text);
}

TEST_F(PlatformTest, CompletesWhatAKillLeftBehind) {
  ASSERT_EQ(init(), Code::ok);
  const std::string root = text_of(dir_ / "root.pem");
  const std::string policy = text_of(dir_ / "policy.toml");
  for (const char* name : {"root.pem", "collateral.json", "policy.toml"}) {
    fs::remove(dir_ / name);
    put(dir_ / (std::string(name) + ".new4711"), "half");
    EXPECT_EQ(load(), Code::platform_unavailable) << name;
    ASSERT_EQ(init(), Code::ok) << name;
    EXPECT_EQ(load(), Code::ok) << name;
    EXPECT_EQ(file_count(), 4U) << name;
  }
  EXPECT_EQ(text_of(dir_ / "root.pem"), root);
  EXPECT_EQ(text_of(dir_ / "policy.toml"), policy);
}

TEST_F(PlatformTest, SurvivesAKillAtAnyMoment) {
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(init() == Code::ok ? 0 : 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ASSERT_EQ(init(), Code::ok) << i;
    ASSERT_EQ(load(), Code::ok) << i;
    EXPECT_EQ(file_count(), 4U) << i;
    EXPECT_TRUE(collateral()->parts().pck_crl_signer.has_value()) << i;
    if (i % 2 == 0) fs::remove_all(dir_);
  }
}

TEST_F(PlatformTest, SeveralInitsAtOnceAgreeOnOnePlatform) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(init() == Code::ok ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(load(), Code::ok);
  EXPECT_EQ(file_count(), 4U);
  EXPECT_THAT(text_of(dir_ / "policy.toml"),
              HasSubstr(to_hex(Platform::load(dir_).value().enclave()->mr_enclave)));
  EXPECT_EQ(*collateral()->parts().pck_crl->crl_number, Bytes{4});
}

TEST_F(PlatformTest, StartsAnewWhenTheStateWasNeverWritten) {
  fs::create_directories(dir_);
  put(dir_ / "state.json.new4711", "{");
  ASSERT_EQ(init(), Code::ok);
  EXPECT_EQ(mode_of(dir_), 0700U);
  EXPECT_EQ(file_count(), 4U);
}

TEST_F(PlatformTest, TakesNoFolderWithOtherFiles) {
  fs::create_directories(dir_);
  put(dir_ / "policy.toml", "mine");
  EXPECT_EQ(init(), Code::usage);
  EXPECT_EQ(text_of(dir_ / "policy.toml"), "mine");
  EXPECT_EQ(file_count(), 1U);
}

TEST_F(PlatformTest, DamagedStateIsRefusedByInitToo) {
  ASSERT_EQ(init(), Code::ok);
  const std::string state = text_of(dir_ / "state.json");
  const std::string without_key =
      std::string(state).replace(state.find("BEGIN PRIVATE"), 5, "xxxxx");
  const std::string other_version =
      std::string(state).replace(state.find("\"version\": 1"), 12, "\"version\": 2");
  const std::string short_hex =
      std::string(state).replace(state.find("mr_signer\": \"") + 13, 1, "");
  for (const std::string& damaged : {std::string(), std::string("{}"), state.substr(0, 900),
                                     without_key, other_version, short_hex}) {
    put(dir_ / "state.json", damaged);
    EXPECT_EQ(load(), Code::platform_unavailable);
    EXPECT_EQ(init(), Code::platform_unavailable);
    EXPECT_EQ(text_of(dir_ / "state.json"), damaged);
  }
}

TEST_F(PlatformTest, LoadNeedsAPlatform) {
  EXPECT_EQ(load(), Code::platform_unavailable);
  fs::create_directories(dir_);
  EXPECT_EQ(load(), Code::platform_unavailable);
}

TEST_F(PlatformTest, InitNeedsAFolder) {
  put(parent_.path() / "data", "a file in the way");
  EXPECT_EQ(init(), Code::file_unwritable);
  fs::remove(parent_.path() / "data");
  fs::create_directories(dir_.parent_path());
  put(dir_, "a file");
  EXPECT_EQ(init(), Code::file_unwritable);
}

TEST_F(PlatformTest, ASlashAtTheEndIsTheSameFolder) {
  ASSERT_EQ(init(), Code::ok);
  EXPECT_TRUE(Platform::init(dir_.string() + "/", {}, kNow).has_value());
  EXPECT_TRUE(Platform::load(dir_.string() + "/").has_value());
}

TEST(DefaultDir, FollowsTheXdgSpecification) {
  const char* old_home = std::getenv("HOME");
  const std::string home = old_home != nullptr ? old_home : "";
  ::setenv("HOME", "/somewhere", 1);
  ::setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(default_dir(), "/data/ratls/sim");
  ::setenv("XDG_DATA_HOME", "relative", 1);
  EXPECT_EQ(default_dir(), "/somewhere/.local/share/ratls/sim");
  ::unsetenv("XDG_DATA_HOME");
  EXPECT_EQ(default_dir(), "/somewhere/.local/share/ratls/sim");
  ::setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace ratls::sim
