// SPDX-License-Identifier: Apache-2.0
#include "ratls/collateral.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/reader.h"
#include "collateral/parts.h"
#include "sim/world.h"
#include "support/temporary_dir.h"

namespace ratls {
namespace {

using Json = nlohmann::json;

const sim::World& world() {
  static const sim::World kWorld = sim::build_world(sim::plan_world().value()).value();
  return kWorld;
}

Json object() { return Json::parse(format_collateral(world().collateral)); }

Code parse_code(const std::string& text) {
  const auto parsed = parse_collateral(text);
  return parsed ? Code::ok : parsed.error().code();
}

TEST(ParseCollateral, ReadsWhatFormatCollateralWrites) {
  Collateral original = world().collateral;
  original.pck_certificate_chain = world().pck_chain_pem;
  const auto again = parse_collateral(format_collateral(original));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->pck_crl_issuer_chain, original.pck_crl_issuer_chain);
  EXPECT_EQ(again->root_ca_crl, original.root_ca_crl);
  EXPECT_EQ(again->pck_crl, original.pck_crl);
  EXPECT_EQ(again->tcb_info_issuer_chain, original.tcb_info_issuer_chain);
  EXPECT_EQ(again->tcb_info, original.tcb_info);
  EXPECT_EQ(again->tcb_info_signature, original.tcb_info_signature);
  EXPECT_EQ(again->qe_identity_issuer_chain, original.qe_identity_issuer_chain);
  EXPECT_EQ(again->qe_identity, original.qe_identity);
  EXPECT_EQ(again->qe_identity_signature, original.qe_identity_signature);
  EXPECT_EQ(again->pck_certificate_chain, original.pck_certificate_chain);
}

TEST(ParseCollateral, NeedsEveryMemberButThePckChain) {
  const Json whole = object();
  for (const auto& [name, value] : whole.items()) {
    Json without = object();
    without.erase(name);
    EXPECT_EQ(parse_code(without.dump()), Code::collateral_malformed) << name;
    Json wrong = object();
    wrong[name] = 7;
    EXPECT_EQ(parse_code(wrong.dump()), Code::collateral_malformed) << name;
  }
  Json null_chain = object();
  null_chain["pck_certificate_chain"] = nullptr;
  EXPECT_EQ(parse_code(null_chain.dump()), Code::ok);
}

TEST(ParseCollateral, RefusesWhatIsNoSuchObject) {
  for (const char* text : {"", "{", "[]", "null", "\"text\"", "{}"}) {
    EXPECT_EQ(parse_code(text), Code::collateral_malformed) << text;
  }
  const std::string good = object().dump();
  EXPECT_EQ(parse_code(good), Code::ok);
  EXPECT_EQ(parse_code(good + "x"), Code::collateral_malformed);
  EXPECT_EQ(parse_code("{\"pck_crl\":\"00\"," + good.substr(1)), Code::collateral_malformed);
  Json odd = object();
  odd["pck_crl"] = "0";
  EXPECT_EQ(parse_code(odd.dump()), Code::collateral_malformed);
}

TEST(ParseCollateral, IgnoresUnknownMembers) {
  Json more = object();
  more["something"] = {1, 2, 3};
  EXPECT_EQ(parse_code(more.dump()), Code::ok);
}

TEST(PreparedCollateralType, KeepsTheErrorOfEachPart) {
  const TrustRoot root = TrustRoot::from_pem(as_bytes(world().root_pem)).value();
  const auto good = PreparedCollateral::prepare(world().collateral, root, "file");
  EXPECT_EQ(good->source(), "file");
  EXPECT_TRUE(good->parts().root_crl && good->parts().pck_crl && good->parts().tcb_info &&
              good->parts().qe_identity);
  EXPECT_TRUE(good->parts().pck_crl_signer.has_value());
  const auto other = PreparedCollateral::prepare(world().collateral, TrustRoot::intel(), "file");
  EXPECT_EQ(other->parts().root_crl.error().code(), Code::crl_untrusted);
  EXPECT_FALSE(other->parts().pck_crl_signer.has_value());
  EXPECT_EQ(other->parts().tcb_info.error().code(), Code::root_untrusted);
  EXPECT_EQ(other->parts().qe_identity.error().code(), Code::root_untrusted);
}

TEST(TrustRootType, KnowsIntelsByItsBytes) {
  EXPECT_TRUE(TrustRoot::intel().is_intel());
  EXPECT_EQ(to_hex(crypto::sha256(TrustRoot::intel().certificate_der())),
            "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3");
  const std::string pem = x509::to_pem(TrustRoot::intel().certificate_der(), "CERTIFICATE");
  EXPECT_TRUE(TrustRoot::from_pem(as_bytes(pem))->is_intel());
  EXPECT_FALSE(TrustRoot::from_pem(as_bytes(world().root_pem))->is_intel());
}

TEST(TrustRootType, RefusesWhatIsNoSelfSignedCa) {
  const std::string leaf =
      world().pck_chain_pem.substr(0, world().pck_chain_pem.find("-----BEGIN", 5));
  for (const std::string& pem : {std::string(), leaf, world().pck_chain_pem}) {
    EXPECT_EQ(TrustRoot::from_pem(as_bytes(pem)).error().code(), Code::policy_invalid);
  }
}

class Sources : public ::testing::Test {
 protected:
  Result<std::shared_ptr<const PreparedCollateral>> find(const std::vector<std::string>& names) {
    const TrustRoot root = TrustRoot::from_pem(as_bytes(world().root_pem)).value();
    RATLS_TRY(const auto source, open_collateral_sources(names, dir_.path(), root));
    return source->find(request_);
  }
  void write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(replace_file(dir_.path() / name, as_bytes(content), FileMode::shared).has_value());
  }
  testing::TemporaryDir dir_;
  CollateralRequest request_ = at(sim::kWorldTime);

  static CollateralRequest at(UnixTime time) {
    CollateralRequest request;
    request.at = time;
    return request;
  }
};

TEST_F(Sources, ReadAFileRelativeToTheirFolder) {
  write("collateral.json", format_collateral(world().collateral));
  EXPECT_TRUE(find({"file:collateral.json"}).has_value());
  EXPECT_TRUE(find({"file:" + (dir_.path() / "collateral.json").string()}).has_value());
}

TEST_F(Sources, GoOnWhenOneIsNotAvailable) {
  write("collateral.json", format_collateral(world().collateral));
  EXPECT_TRUE(find({"pcs", "https://pccs.example/", "file:missing", "file:collateral.json"}));
  const auto none = find({"pcs", "file:missing"});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), Code::collateral_unavailable);
}

TEST_F(Sources, GoOnFromCollateralThatCannotBeUsed) {
  Collateral forged = world().collateral;
  forged.tcb_info += " ";
  Collateral unsigned_crl = world().collateral;
  unsigned_crl.pck_crl.back() ^= 1;
  write("bad.json", "{");
  write("forged.json", format_collateral(forged));
  write("unsigned_crl.json", format_collateral(unsigned_crl));
  write("good.json", format_collateral(world().collateral));
  const auto found =
      find({"file:bad.json", "file:forged.json", "file:unsigned_crl.json", "file:good.json"});
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE((*found)->usable_at(sim::kWorldTime));
}

TEST_F(Sources, GiveTheFirstAnswerWhenNoneCanBeUsed) {
  write("bad.json", "{");
  write("good.json", format_collateral(world().collateral));
  request_.at = sim::kWorldTime + std::chrono::days(1000);
  EXPECT_EQ(find({"pcs", "file:bad.json", "file:good.json"}).error().code(),
            Code::collateral_malformed);
  const auto expired = find({"file:good.json", "file:bad.json"});
  ASSERT_TRUE(expired.has_value());
  EXPECT_FALSE((*expired)->usable_at(request_.at));
}

TEST_F(Sources, ReadAFileAgainOnceItIsOutOfDate) {
  const TrustRoot root = TrustRoot::from_pem(as_bytes(world().root_pem)).value();
  write("collateral.json", format_collateral(world().collateral));
  const auto source = open_collateral_sources({"file:collateral.json"}, dir_.path(), root).value();
  ASSERT_TRUE(source->find(request_).has_value());
  write("collateral.json", "{");
  EXPECT_TRUE(source->find(request_).has_value());
  EXPECT_EQ(source->find(at(sim::kWorldTime + std::chrono::days(1000))).error().code(),
            Code::collateral_malformed);
}

TEST_F(Sources, TakeThePlatformsFileOfAFolder) {
  std::filesystem::create_directory(dir_.path() / "all");
  write("all/sgx-00606a000000-platform.json", format_collateral(world().collateral));
  write("sgx-00606a000000-outside.json", format_collateral(world().collateral));
  request_.tee = "sgx";
  EXPECT_EQ(find({"file:all/"}).error().code(), Code::collateral_unavailable);
  request_.fmspc = "00606a000000";
  request_.pck_ca = "platform";
  const auto found = find({"file:all/"});
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE((*found)->usable_at(sim::kWorldTime));
  EXPECT_EQ((*found)->source(), "file");
  for (const char* ca : {"processor", ""}) {
    request_.pck_ca = ca;
    EXPECT_EQ(find({"file:all/"}).error().code(), Code::collateral_unavailable) << ca;
  }
  std::filesystem::create_directory(dir_.path() / "all" / "sgx-00606a000000-");
  request_.pck_ca = "/../../sgx-00606a000000-outside";
  EXPECT_FALSE(find({"file:all/"}).has_value()) << "a name led out of the folder";
}

TEST_F(Sources, RefuseWhatIsNone) {
  for (const char* name : {"", "file:", "http://pccs.example/", "pcs2"}) {
    EXPECT_EQ(find({name}).error().code(), Code::policy_invalid) << name;
  }
  EXPECT_EQ(find({}).error().code(), Code::policy_invalid);
}

// Work must grow with the size only: read with a parser that looks back, this takes hours.
TEST(ParseCollateral, ReadsManyObjectsInOnePass) {
  std::string text = "[";
  while (text.size() < kMaxCollateralSize - 16) text += "{\"\":0},";
  const auto read = parse_collateral(text + "0]");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Code::collateral_malformed);
}

}  // namespace
}  // namespace ratls
