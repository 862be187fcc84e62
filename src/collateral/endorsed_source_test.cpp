// SPDX-License-Identifier: Apache-2.0
#include "collateral/endorsed_source.h"

#include <gtest/gtest.h>

#include "base/reader.h"
#include "collateral/parts.h"
#include "sim/world.h"
#include "support/temporary_dir.h"

namespace ratls::collateral {
namespace {

sim::WorldSpec plan() { return sim::plan_world().value(); }

const sim::WorldSpec& spec() {
  static const sim::WorldSpec kSpec = plan();
  return kSpec;
}

const sim::World& world() {
  static const sim::World kWorld = sim::build_world(spec()).value();
  return kWorld;
}

const TrustRoot& root() {
  static const TrustRoot kRoot = TrustRoot::from_pem(as_bytes(world().root_pem)).value();
  return kRoot;
}

/// endorsed_with gives endorsements under the same root, with this evaluation number.
Bytes endorsed_with(std::uint32_t number) {
  sim::WorldSpec changed = spec();
  changed.root.issued = world().root_der;
  changed.tcb_info.content.evaluation_number = number;
  changed.qe_identity.content.evaluation_number = number;
  return format_endorsements(sim::build_world(changed).value().collateral);
}

CollateralRequest request_with(Bytes endorsements) {
  CollateralRequest request;
  request.tee = "sgx";
  request.fmspc = to_hex(spec().tcb_info.content.fmspc);
  request.pck_ca = "platform";
  request.at = sim::kWorldTime;
  request.endorsements = std::make_shared<const Bytes>(std::move(endorsements));
  return request;
}

template <class T>
Code code_of(const Result<T>& result) {
  return result ? Code::ok : result.error().code();
}

TEST(EndorsedSource, GivesWhatTheCertificateBrings) {
  EndorsedSource source(root(), {});
  const CollateralRequest request = request_with(format_endorsements(world().collateral));
  const auto found = source.find(request);
  ASSERT_TRUE(found.has_value()) << found.error().message();
  EXPECT_TRUE((*found)->check_for(request).has_value());
  EXPECT_EQ((*found)->source(), "stapled");
  EXPECT_EQ(format_collateral((*found)->collateral()), format_collateral(world().collateral));
}

TEST(EndorsedSource, HasNothingForACertificateThatBringsNone) {
  EndorsedSource source(root(), {});
  CollateralRequest none = request_with({});
  none.endorsements = nullptr;
  EXPECT_EQ(code_of(source.find(none)), Code::collateral_unavailable);
  // A quote without its PCK chain: the collateral would have to bring it.
  CollateralRequest unnamed = request_with(format_endorsements(world().collateral));
  unnamed.fmspc.clear();
  EXPECT_EQ(code_of(source.find(unnamed)), Code::collateral_unavailable);
  EXPECT_EQ(code_of(source.find(request_with({1, 2}))), Code::collateral_malformed);
}

TEST(EndorsedSource, PreparesTheSameOnceAndMixesNoneUp) {
  EndorsedSource source(root(), {});
  const std::uint32_t usual = spec().tcb_info.content.evaluation_number;
  const auto first = source.find(request_with(format_endorsements(world().collateral)));
  const auto second = source.find(request_with(endorsed_with(usual + 1)));
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ((*second)->parts().tcb_info->content.evaluation_number, usual + 1);
  EXPECT_EQ(*source.find(request_with(format_endorsements(world().collateral))), *first);
  for (std::uint32_t i = 2; i < 12; ++i) {
    EXPECT_TRUE(source.find(request_with(endorsed_with(usual + i))).has_value());
  }
  EXPECT_NE(*source.find(request_with(format_endorsements(world().collateral))), *first)
      << "only the newest few are kept";
}

TEST(EndorsedSource, RefusesLowerNumbersThanWereAccepted) {
  testing::TemporaryDir dir;
  const std::uint32_t usual = spec().tcb_info.content.evaluation_number;
  {
    EndorsedSource source(root(), dir.path());
    const auto newer = source.find(request_with(endorsed_with(usual + 1)));
    ASSERT_TRUE(newer.has_value());
    EXPECT_EQ(code_of(source.find(request_with(endorsed_with(usual)))), Code::ok);
    source.verified(**newer);
  }
  EndorsedSource another_process(root(), dir.path());
  const auto older = another_process.find(request_with(endorsed_with(usual)));
  EXPECT_EQ(code_of(older), Code::collateral_superseded);
  EXPECT_EQ(older.error().where().substr(0, 24), "certificate.endorsements");
}

TEST(EndorsedSource, TakesNothingFromVerdictsWithOtherCollateral) {
  EndorsedSource source(root(), {});
  const std::uint32_t usual = spec().tcb_info.content.evaluation_number;
  const auto newer = source.find(request_with(endorsed_with(usual + 1)));
  ASSERT_TRUE(newer.has_value());
  source.verified(*PreparedCollateral::prepare((*newer)->collateral(), root(), "pccs"));
  EXPECT_EQ(code_of(source.find(request_with(endorsed_with(usual)))), Code::ok);
}

}  // namespace
}  // namespace ratls::collateral
