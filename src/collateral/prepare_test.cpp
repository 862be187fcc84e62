// SPDX-License-Identifier: Apache-2.0
// What collateral must be before it is kept or handed on; tests/verifier/ has what it must be for a
// quote.
#include <gtest/gtest.h>

#include <functional>

#include "base/reader.h"
#include "collateral/parts.h"
#include "sim/world.h"

namespace ratls {
namespace {

using sim::kWorldTime;
using sim::WorldSpec;
using std::chrono::seconds;

WorldSpec plan(std::optional<TdReport> td = std::nullopt) {
  sim::WorldBasics basics;
  basics.td = std::move(td);
  return sim::plan_world(basics).value();
}

CollateralRequest request_of(std::string tee) {
  CollateralRequest request;
  request.tee = std::move(tee);
  request.fmspc = to_hex(sim::default_machine(sim::PckCa::platform).fmspc);
  request.pck_ca = "platform";
  request.at = kWorldTime;
  return request;
}

Code judge(const sim::World& world, const CollateralRequest& request = request_of("sgx")) {
  const TrustRoot root = TrustRoot::from_pem(as_bytes(world.root_pem)).value();
  const auto checked =
      PreparedCollateral::prepare(world.collateral, root, "test")->check_for(request);
  return checked ? Code::ok : checked.error().code();
}

Code judge(const WorldSpec& spec, const CollateralRequest& request = request_of("sgx")) {
  return judge(sim::build_world(spec).value(), request);
}

/// Forgery is a change to a world and what its collateral is refused with.
struct Forgery {
  const char* name;
  Code code;
  std::function<void(WorldSpec&)> change;
};

class ForgedCollateral : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedCollateral, IsNoneForThePlatform) {
  WorldSpec spec = plan();
  ASSERT_EQ(judge(spec), Code::ok);
  GetParam().change(spec);
  EXPECT_EQ(judge(spec), GetParam().code);
}

const Forgery kForgeries[] = {
    {"RootCrlSignedByStranger", Code::crl_untrusted,
     [](WorldSpec& w) { w.root_crl.signer = w.stranger; }},
    {"PckCrlSignedByStranger", Code::crl_untrusted,
     [](WorldSpec& w) { w.pck_crl.signer = w.stranger; }},
    {"PckCaSignedByStranger", Code::crl_untrusted,
     [](WorldSpec& w) { w.pck_ca.signer = w.stranger; }},
    {"PckCaWithOtherKind", Code::crl_untrusted,
     [](WorldSpec& w) {
       w.pck_ca.spec.subject_spki =
           crypto::PrivateKey::generate(crypto::KeyType::p384).value().spki_der().value();
     }},
    {"RootCrlFromTheFuture", Code::crl_expired,
     [](WorldSpec& w) { w.root_crl.spec.this_update = kWorldTime + seconds(1); }},
    {"RootCrlExpired", Code::crl_expired,
     [](WorldSpec& w) { w.root_crl.spec.next_update = kWorldTime - seconds(1); }},
    {"PckCrlExpired", Code::crl_expired,
     [](WorldSpec& w) { w.pck_crl.spec.next_update = kWorldTime - seconds(1); }},
    {"TcbSigningNamedOtherwise", Code::tcb_chain_untrusted,
     [](WorldSpec& w) {
       w.tcb_signing.spec.subject = {{"CN", "Somebody"}};
     }},
    {"TcbInfoSignedByStranger", Code::tcb_info_untrusted,
     [](WorldSpec& w) { w.tcb_info.signer = w.stranger; }},
    {"TcbInfoExpired", Code::tcb_info_expired,
     [](WorldSpec& w) { w.tcb_info.content.next_update = kWorldTime - seconds(1); }},
    {"TcbInfoFromTheFuture", Code::tcb_info_expired,
     [](WorldSpec& w) { w.tcb_info.content.issue_date = kWorldTime + seconds(1); }},
    {"TcbInfoOfOtherFmspc", Code::tcb_info_mismatch,
     [](WorldSpec& w) { w.tcb_info.content.fmspc.bytes[5] ^= 1; }},
    {"TcbInfoForTdx", Code::tcb_info_mismatch,
     [](WorldSpec& w) {
       w.tcb_info.content.id = tcb::TcbInfo::Id::tdx;
       w.tcb_info.content.tdx_module.emplace();
     }},
    {"QeIdentitySignedByStranger", Code::qe_identity_untrusted,
     [](WorldSpec& w) { w.qe_identity.signer = w.stranger; }},
    {"QeIdentityExpired", Code::qe_identity_expired,
     [](WorldSpec& w) { w.qe_identity.content.next_update = kWorldTime - seconds(1); }},
    {"QeIdentityOfTdQe", Code::qe_identity_mismatch,
     [](WorldSpec& w) { w.qe_identity.content.id = tcb::QeIdentity::Id::td_qe; }},
};

INSTANTIATE_TEST_SUITE_P(PreparedCollateralType, ForgedCollateral, ::testing::ValuesIn(kForgeries),
                         [](const auto& info) { return info.param.name; });

Code root_code(std::string_view pem) {
  const auto root = TrustRoot::from_pem(as_bytes(pem));
  return root ? Code::ok : root.error().code();
}

TEST(TrustRootType, IsSignedByItself) {
  const sim::World world = sim::build_world(plan()).value();
  EXPECT_EQ(root_code(world.root_pem), Code::ok);
  WorldSpec forged = plan();
  forged.root.signer = forged.stranger;
  EXPECT_EQ(root_code(sim::build_world(forged).value().root_pem), Code::policy_invalid);
}

TEST(TrustRootType, IsACa) {
  WorldSpec spec = plan();
  for (x509::Extension& extension : spec.root.spec.extensions) {
    if (extension.oid == x509::basic_constraints(true, std::nullopt).oid) {
      extension = x509::basic_constraints(false, std::nullopt);
    }
  }
  EXPECT_EQ(root_code(sim::build_world(spec).value().root_pem), Code::policy_invalid);
}

TEST(TrustRootType, HasAProfileAsIntels) {
  for (std::size_t i = 0; i < plan().root.spec.extensions.size(); ++i) {
    WorldSpec spec = plan();
    spec.root.spec.extensions.erase(spec.root.spec.extensions.begin() +
                                    static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(root_code(sim::build_world(spec).value().root_pem), Code::policy_invalid) << i;
  }
}

TEST(TrustRootType, IsNamedAsOne) {
  WorldSpec spec = plan();
  for (x509::NameAttribute& attribute : spec.root.spec.subject) {
    if (attribute.short_name == "CN") attribute.value = "Another Root CA";
  }
  spec.root.spec.issuer = spec.root.spec.subject;
  EXPECT_EQ(root_code(sim::build_world(spec).value().root_pem), Code::policy_invalid);
}

TEST(PreparedCollateralType, IsForThePlatformThatIsNamed) {
  const sim::World world = sim::build_world(plan()).value();
  CollateralRequest request = request_of("sgx");
  request.pck_ca = "processor";
  EXPECT_EQ(judge(world, request), Code::crl_untrusted);
  request.pck_ca = "";
  EXPECT_EQ(judge(world, request), Code::ok);
  request.fmspc = "000000000000";
  EXPECT_EQ(judge(world, request), Code::tcb_info_mismatch);
  request.fmspc = "";
  EXPECT_EQ(judge(world, request), Code::ok);
  request.tee = "tdx";
  EXPECT_EQ(judge(world, request), Code::tcb_info_mismatch);
  request.tee = "";
  EXPECT_EQ(judge(world, request), Code::ok);
}

TEST(PreparedCollateralType, NeedsTheTdxPartForTds) {
  WorldSpec spec = plan(sim::default_td());
  EXPECT_EQ(judge(spec, request_of("tdx")), Code::ok);
  spec.tcb_info.content.tdx_module.reset();
  EXPECT_EQ(judge(spec, request_of("tdx")), Code::tcb_info_malformed);
}

TEST(PreparedCollateralType, NeedsEveryPart) {
  const sim::World world = sim::build_world(plan()).value();
  const std::pair<Bytes Collateral::*, Code> lists[] = {
      {&Collateral::root_ca_crl, Code::crl_malformed}, {&Collateral::pck_crl, Code::crl_malformed}};
  for (const auto& [list, code] : lists) {
    sim::World broken = world;
    (broken.collateral.*list).clear();
    EXPECT_EQ(judge(broken), code);
  }
  const std::pair<std::string Collateral::*, Code> chains[] = {
      {&Collateral::pck_crl_issuer_chain, Code::crl_untrusted},
      {&Collateral::tcb_info_issuer_chain, Code::tcb_chain_malformed},
      {&Collateral::qe_identity_issuer_chain, Code::tcb_chain_malformed}};
  for (const auto& [chain, code] : chains) {
    sim::World broken = world;
    (broken.collateral.*chain).clear();
    EXPECT_EQ(judge(broken), code);
  }
}

}  // namespace
}  // namespace ratls
