// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/reader.h"
#include "collateral/parts.h"
#include "support/temporary_dir.h"

namespace ratls::sim {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const PreparedCollateral> prepared(const World& world) {
  const TrustRoot root = TrustRoot::from_pem(as_bytes(world.root_pem)).value();
  return PreparedCollateral::prepare(world.collateral, root, "file");
}

template <class Part>
Code code_of(const Result<Part>& part) {
  return part ? Code::ok : part.error().code();
}

TEST(World, CollateralIsAuthenticAndInForce) {
  const auto collateral = prepared(build_world(plan_world().value()).value());
  const auto& parts = collateral->parts();
  ASSERT_EQ(code_of(parts.root_crl), Code::ok);
  ASSERT_EQ(code_of(parts.pck_crl), Code::ok);
  ASSERT_TRUE(parts.pck_crl_signer.has_value());
  ASSERT_EQ(code_of(parts.tcb_info), Code::ok);
  ASSERT_EQ(code_of(parts.qe_identity), Code::ok);
  EXPECT_FALSE(parts.pck_chain.has_value());
  for (const UnixTime end :
       {parts.root_crl->next_update, parts.pck_crl->next_update,
        parts.tcb_info->content.next_update, parts.qe_identity->content.next_update}) {
    EXPECT_EQ(end, kWorldTime + kCollateralLifetime);
  }
  EXPECT_LE(parts.tcb_info->content.issue_date, kWorldTime);
  EXPECT_LE(parts.pck_crl->this_update, kWorldTime);
}

TEST(World, PlatformAndQeAreUpToDate) {
  const WorldSpec spec = plan_world().value();
  const auto* level =
      tcb::match_level(spec.tcb_info.content, {.sgx_components = spec.machine->tcb_components,
                                               .pce_svn = spec.machine->pce_svn,
                                               .tee_tcb_svn = {}});
  ASSERT_NE(level, nullptr);
  EXPECT_EQ(level->status, TcbStatus::up_to_date);
  const auto* qe = tcb::match_level(spec.qe_identity.content.levels, spec.quote.qe_report.isv_svn);
  ASSERT_NE(qe, nullptr);
  EXPECT_EQ(qe->status, TcbStatus::up_to_date);
}

TEST(World, OfTdxHasATdInForceOnCollateralForTdx) {
  WorldBasics basics;
  basics.td = default_td();
  const World world = build_world(plan_world(basics).value()).value();
  const auto collateral = prepared(world);
  const auto& parts = collateral->parts();
  ASSERT_EQ(code_of(parts.tcb_info), Code::ok);
  ASSERT_EQ(code_of(parts.qe_identity), Code::ok);
  EXPECT_EQ(parts.tcb_info->content.id, tcb::TcbInfo::Id::tdx);
  EXPECT_EQ(parts.qe_identity->content.id, tcb::QeIdentity::Id::td_qe);
  const Quote quote = parse_quote(world.quote({}).value()).value();
  ASSERT_NE(quote.td(), nullptr);
  EXPECT_EQ(quote.header.version, 4);
  EXPECT_EQ(quote.td()->mr_td, default_td().mr_td);
  EXPECT_FALSE(quote.td()->debug());
  EXPECT_NE(quote.td()->rtmr[0], quote.td()->rtmr[1]);
  EXPECT_NE(quote.td()->rtmr[1], quote.td()->rtmr[2]);
}

TEST(World, MachineReachesEveryArtifact) {
  WorldBasics basics;
  basics.machine = default_machine(PckCa::platform);
  basics.machine->fmspc.bytes[1] = 0x77;
  basics.machine->pce_svn = 9;
  const WorldSpec spec = plan_world(basics).value();
  EXPECT_EQ(spec.machine->fmspc.bytes[1], 0x77);
  EXPECT_EQ(spec.tcb_info.content.fmspc.bytes[1], 0x77);
  EXPECT_EQ(spec.tcb_info.content.levels[0].pce_svn, 9);
  EXPECT_EQ(spec.quote.header.pce_svn, 9);
}

TEST(World, KeysAreNewUnlessGiven) {
  const WorldSpec one = plan_world().value();
  const WorldSpec other = plan_world().value();
  EXPECT_NE(one.root.spec.subject_spki, other.root.spec.subject_spki);
  WorldBasics basics;
  basics.keys.root = one.root.key;
  EXPECT_EQ(plan_world(basics).value().root.spec.subject_spki, one.root.spec.subject_spki);
}

TEST(World, OneForgedArtifactFailsAlone) {
  struct Forgery {
    const char* what;
    void (*change)(WorldSpec&);
    Code tcb_info;
    Code qe_identity;
    Code root_crl;
  };
  constexpr Code kOk = Code::ok;
  const Forgery forgeries[] = {
      {"TCB info", [](WorldSpec& s) { s.tcb_info.signer = s.stranger; }, Code::tcb_info_untrusted,
       kOk, kOk},
      {"TCB info text", [](WorldSpec& s) { s.tcb_info.text = "{}"; }, Code::tcb_info_malformed, kOk,
       kOk},
      {"QE identity", [](WorldSpec& s) { s.qe_identity.signer = s.stranger; }, kOk,
       Code::qe_identity_untrusted, kOk},
      {"TCB signer", [](WorldSpec& s) { s.tcb_signing.signer = s.stranger; },
       Code::tcb_chain_untrusted, Code::tcb_chain_untrusted, kOk},
      {"root CRL", [](WorldSpec& s) { s.root_crl.signer = s.stranger; }, kOk, kOk,
       Code::crl_untrusted},
  };
  for (const Forgery& forgery : forgeries) {
    WorldSpec spec = plan_world().value();
    forgery.change(spec);
    const auto collateral = prepared(build_world(spec).value());
    EXPECT_EQ(code_of(collateral->parts().tcb_info), forgery.tcb_info) << forgery.what;
    EXPECT_EQ(code_of(collateral->parts().qe_identity), forgery.qe_identity) << forgery.what;
    EXPECT_EQ(code_of(collateral->parts().root_crl), forgery.root_crl) << forgery.what;
  }
}

TEST(World, PckCrlBySomebodyElseHasNoKnownSigner) {
  WorldSpec spec = plan_world().value();
  spec.pck_crl.signer = spec.stranger;
  EXPECT_FALSE(prepared(build_world(spec).value())->parts().pck_crl_signer.has_value());
}

TEST(World, TwoWorldsShareARoot) {
  WorldSpec spec = plan_world().value();
  const World first = build_world(spec).value();
  spec.root.issued = first.root_der;
  const World second = build_world(spec).value();
  EXPECT_EQ(first.root_pem, second.root_pem);
  EXPECT_NE(first.pck_chain_pem, second.pck_chain_pem);
}

// Another implementation's view of the PKI.
class OpensslTool : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("openssl version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no openssl program";
  }
  void put(const char* name, std::string_view content) {
    ASSERT_TRUE(
        write_new_file(dir_.path() / name, as_bytes(content), FileMode::shared).has_value());
  }
  void put_world(const World& world) {
    put("root.pem", world.root_pem);
    put("chain.pem", world.pck_chain_pem);
    put("tcb.pem", world.collateral.tcb_info_issuer_chain);
    put("root.crl", x509::to_pem(world.collateral.root_ca_crl, "X509 CRL"));
    put("pck.crl", x509::to_pem(world.collateral.pck_crl, "X509 CRL"));
  }
  bool accepts(const std::string& arguments) const {
    const std::string command =
        "cd " + dir_.path().string() + " && openssl " + arguments + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  }
  std::string verify(const std::string& files) const {
    return "verify -x509_strict -attime " + std::to_string(kWorldTime.time_since_epoch().count()) +
           " -CAfile root.pem " + files;
  }
  ratls::testing::TemporaryDir dir_;
};

TEST_F(OpensslTool, AcceptsChainsAndCrls) {
  put_world(build_world(plan_world().value()).value());
  EXPECT_TRUE(accepts(verify("root.pem")));
  EXPECT_TRUE(accepts(verify("-untrusted chain.pem chain.pem")));
  EXPECT_TRUE(accepts(verify("tcb.pem")));
  EXPECT_TRUE(accepts(
      verify("-crl_check_all -CRLfile root.crl -CRLfile pck.crl -untrusted chain.pem chain.pem")));
  EXPECT_TRUE(accepts("crl -in root.crl -CAfile root.pem -noout"));
  EXPECT_TRUE(accepts("crl -in pck.crl -CAfile chain.pem -noout"));
}

TEST_F(OpensslTool, SeesARevokedCertificate) {
  WorldSpec spec = plan_world().value();
  spec.pck_crl.spec.revoked_serials = {spec.pck.spec.serial};
  put_world(build_world(spec).value());
  EXPECT_TRUE(accepts(verify("-untrusted chain.pem chain.pem")));
  EXPECT_FALSE(accepts(
      verify("-crl_check_all -CRLfile root.crl -CRLfile pck.crl -untrusted chain.pem chain.pem")));
}

TEST_F(OpensslTool, RefusesAChainOfAnotherCa) {
  WorldSpec spec = plan_world().value();
  spec.pck.signer = spec.stranger;
  put_world(build_world(spec).value());
  EXPECT_FALSE(accepts(verify("-untrusted chain.pem chain.pem")));
}

}  // namespace
}  // namespace ratls::sim
