// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/reader.h"
#include "collateral/parts.h"
#include "sim/world.h"
#include "support/temporary_dir.h"

namespace ratls {
namespace {

namespace fs = std::filesystem;
using Found = Result<std::shared_ptr<const PreparedCollateral>>;
using std::chrono::hours;

sim::WorldSpec plan(std::uint64_t crl_number = 5) {
  sim::WorldBasics basics;
  basics.crl_number = crl_number;
  return sim::plan_world(basics).value();
}

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

CollateralRequest wanted(UnixTime at = sim::kWorldTime) {
  const auto prepared = PreparedCollateral::prepare(world().collateral, root(), "");
  CollateralRequest request;
  request.tee = "sgx";
  request.fmspc = to_hex(prepared->parts().tcb_info->content.fmspc);
  request.pck_ca = "platform";
  request.at = at;
  return request;
}

/// Service is what lies behind the cache, and how often it was asked.
struct Service {
  std::atomic<int> asked = 0;
  std::atomic<bool> fails = false;
  std::atomic<bool> waits_for_stop = false;
  Collateral collateral = world().collateral;
};

class FakeSource final : public CollateralSource {
 public:
  explicit FakeSource(Service& service, std::string name = "pccs")
      : service_(service), name_(std::move(name)) {}
  Found find(const CollateralRequest& request) override {
    ++service_.asked;
    while (service_.waits_for_stop && !request.stop.stop_requested()) std::this_thread::yield();
    if (service_.fails) return Error(Code::collateral_server_untrusted, "fake", "");
    return PreparedCollateral::prepare(service_.collateral, root(), name_);
  }

 private:
  Service& service_;
  const std::string name_;
};

class Cache : public ::testing::Test {
 protected:
  std::unique_ptr<CollateralSource> open(const std::string& name = "service",
                                         Baseline baseline = Baseline::standard) {
    return with_cache(std::make_unique<FakeSource>(service_), {.name = name, .baseline = baseline},
                      root(), {.dir = folder(), .background = false});
  }
  std::unique_ptr<CollateralSource> open_in_memory(bool background = false) {
    return with_cache(std::make_unique<FakeSource>(service_), {.name = "service"}, root(),
                      {.dir = {}, .background = background});
  }
  fs::path folder() const { return dir_.path() / "a" / "b"; }
  fs::path only_entry() const {
    fs::path entry;
    for (const auto& file : fs::directory_iterator(folder())) {
      if (file.path().filename() == "highest_numbers.json") continue;
      EXPECT_TRUE(entry.empty());
      entry = file.path();
    }
    return entry;
  }
  void let_entry_be_of(UnixTime time) const {
    fs::last_write_time(only_entry(), std::chrono::file_clock::from_sys(time));
  }
  // Where a new process gets its collateral from, and that it can be used.
  std::string source_of(const CollateralRequest& request = wanted(),
                        const std::string& name = "service") {
    const Found found = open(name)->find(request);
    if (!found) return std::string(describe(found.error().code()).name);
    return (*found)->check_for(request) ? (*found)->source() : "unusable";
  }
  /// publish lets the service have other documents, under the same root.
  void publish(sim::WorldSpec changed) {
    changed.root.issued = world().root_der;
    service_.collateral = sim::build_world(changed).value().collateral;
  }

  testing::TemporaryDir dir_;
  Service service_;
};

TEST_F(Cache, AsksOnceInMemory) {
  const auto cache = open_in_memory();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(cache->find(wanted()).value()->source(), "pccs");
  EXPECT_EQ(service_.asked, 1);
}

TEST_F(Cache, OutlivesTheProcess) {
  EXPECT_EQ(source_of(), "pccs");
  EXPECT_EQ(source_of(), "cache");
  EXPECT_EQ(service_.asked, 1);
  struct stat status {};
  ASSERT_EQ(::stat(only_entry().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(folder().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(Cache, KeepsSourcesAndRootsApart) {
  EXPECT_EQ(source_of(), "pccs");
  EXPECT_EQ(source_of(wanted(), "other"), "pccs");
  EXPECT_EQ(source_of(), "cache");
  const auto intel = with_cache(std::make_unique<FakeSource>(service_), {.name = "service"},
                                TrustRoot::intel(), {.dir = folder(), .background = false});
  EXPECT_TRUE(intel->find(wanted()).has_value());
  EXPECT_EQ(service_.asked, 3);
}

TEST_F(Cache, DropsDamagedFiles) {
  EXPECT_EQ(source_of(), "pccs");
  Collateral forged = world().collateral;
  forged.tcb_info += " ";
  Collateral unsigned_crl = world().collateral;
  unsigned_crl.pck_crl.back() ^= 1;
  for (const std::string& content : {std::string(), std::string("{"), format_collateral(forged),
                                     format_collateral(unsigned_crl)}) {
    std::ofstream(only_entry(), std::ios::trunc) << content;
    EXPECT_EQ(source_of(), "pccs");
    EXPECT_EQ(source_of(), "cache");
  }
}

TEST_F(Cache, DoesNotTakeAnotherPlatformsFile) {
  EXPECT_EQ(source_of(), "pccs");
  const fs::path file = only_entry();
  CollateralRequest other = wanted();
  other.fmspc = "0123456789ab";
  const auto cache = open();
  EXPECT_TRUE(cache->find(other).has_value());  // the service's answer, which the verifier refuses
  EXPECT_EQ(service_.asked, 2);
  EXPECT_EQ(only_entry(), file) << "what is for another platform is not kept";
}

TEST_F(Cache, NeverServesWhatHasEnded) {
  const auto cache = open();
  EXPECT_TRUE(cache->find(wanted()).has_value());
  service_.fails = true;
  const auto late = wanted(sim::kWorldTime + sim::kCollateralLifetime + std::chrono::seconds(1));
  EXPECT_EQ(cache->find(late).error().code(), Code::collateral_server_untrusted);
  EXPECT_EQ(source_of(late), "collateral_server_untrusted");
}

TEST_F(Cache, AsksAnewForWhatThePolicyWouldRefuse) {
  EXPECT_EQ(source_of(), "pccs");
  CollateralRequest strict = wanted();
  strict.min_evaluation_number = 1000000;
  EXPECT_EQ(source_of(strict), "pccs");
  strict = wanted();
  strict.issued_after = strict.at;
  EXPECT_EQ(source_of(strict), "pccs");
  EXPECT_EQ(service_.asked, 3);
  const auto cache = open();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(cache->find(strict).has_value());
  EXPECT_EQ(service_.asked, 4) << "it is asked once and not for each connection";
}

TEST_F(Cache, RenewsAfterADay) {
  const auto cache = open_in_memory();
  const auto first = cache->find(wanted()).value();
  EXPECT_EQ(cache->find(wanted(sim::kWorldTime + hours(23))).value(), first);
  EXPECT_EQ(service_.asked, 1);
  const auto next = open();  // a fetch of its own is less than five minutes ago for the first
  EXPECT_EQ(next->find(wanted()).value()->source(), "pccs");
  let_entry_be_of(sim::kWorldTime);
  EXPECT_EQ(source_of(wanted(sim::kWorldTime + hours(23))), "cache");
  EXPECT_EQ(source_of(wanted(sim::kWorldTime + hours(25))), "pccs");
  EXPECT_EQ(service_.asked, 3);
  let_entry_be_of(sim::kWorldTime);
  service_.fails = true;
  EXPECT_EQ(source_of(wanted(sim::kWorldTime + hours(25))), "cache") << "the old one is in date";
}

TEST_F(Cache, RenewsInTheBackground) {
  EXPECT_EQ(source_of(), "pccs");
  let_entry_be_of(sim::kWorldTime);
  service_.waits_for_stop = true;
  {
    const auto cache = with_cache(std::make_unique<FakeSource>(service_), {.name = "service"},
                                  root(), {.dir = folder(), .background = true});
    const auto later = wanted(sim::kWorldTime + hours(25));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(cache->find(later).value()->source(), "cache");
    while (service_.asked < 2) std::this_thread::yield();
  }  // ends although the service does not answer
  EXPECT_EQ(service_.asked, 2);
}

TEST_F(Cache, WorksWithoutAUsableFolder) {
  std::ofstream(dir_.path() / "a") << "in the way";
  EXPECT_EQ(source_of(), "pccs");
  EXPECT_EQ(source_of(), "pccs");
}

TEST_F(Cache, RemembersAFailureForSomeSeconds) {
  service_.fails = true;
  const auto cache = open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cache->find(wanted()).error().code(), Code::collateral_server_untrusted);
  }
  EXPECT_EQ(service_.asked, 1);
}

TEST_F(Cache, DoesNotAskForEachConnectionWhatCannotBeUsed) {
  const auto late = wanted(sim::kWorldTime + sim::kCollateralLifetime + hours(1));
  const auto cache = open();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(cache->find(late).value()->check_for(late));
  EXPECT_EQ(service_.asked, 1);
}

TEST_F(Cache, FetchesOnceForManyThreads) {
  for (const bool fails : {false, true}) {
    service_.asked = 0;
    service_.fails = fails;
    const auto cache = open_in_memory(true);
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&] { EXPECT_EQ(cache->find(wanted()).has_value(), !fails); });
      }
    }
    EXPECT_EQ(service_.asked, 1);
  }
}

TEST_F(Cache, KeepsNothingForAPlatformThatIsNotNamed) {
  CollateralRequest unnamed = wanted();
  unnamed.fmspc.clear();
  const auto cache = open();
  EXPECT_TRUE(cache->find(unnamed).has_value());
  EXPECT_TRUE(cache->find(unnamed).has_value());
  EXPECT_EQ(service_.asked, 2);
}

class Superseded : public Cache {};

TEST_F(Superseded, IsALowerCrlNumber) {
  EXPECT_EQ(source_of(), "pccs");
  sim::WorldSpec older = spec();
  older.pck_crl.spec.crl_number = 4;
  publish(older);
  EXPECT_EQ(source_of(wanted(), "other"), "collateral_superseded");
  older.pck_crl.spec.crl_number = 5;
  older.root_crl.spec.crl_number = 4;
  publish(older);
  EXPECT_EQ(source_of(wanted(), "other"), "collateral_superseded");
}

TEST_F(Superseded, IsALowerEvaluationNumber) {
  EXPECT_EQ(source_of(), "pccs");
  sim::WorldSpec older = spec();
  --older.tcb_info.content.evaluation_number;
  publish(older);
  EXPECT_EQ(source_of(wanted(), "other"), "collateral_superseded");
  older = spec();
  --older.qe_identity.content.evaluation_number;
  publish(older);
  EXPECT_EQ(source_of(wanted(), "other"), "collateral_superseded");
  // Of Intel's early baseline nothing was seen, and who names a number has decided.
  EXPECT_TRUE(open("early", Baseline::early)->find(wanted()).has_value());
  EXPECT_TRUE(open("pinned", Baseline::pinned)->find(wanted()).has_value());
}

TEST_F(Superseded, IsNothingThatForgedCollateralClaims) {
  sim::WorldSpec forged = spec();
  forged.tcb_info.content.evaluation_number = 99;
  forged.tcb_info.signer = forged.stranger;
  publish(forged);
  EXPECT_EQ(source_of(), "unusable");
  service_.collateral = world().collateral;
  EXPECT_EQ(source_of(wanted(), "other"), "pccs");
}

TEST_F(Superseded, IsNothingThatPartlyForgedCollateralClaims) {
  for (const int part : {0, 1, 2, 3, 4}) {
    sim::WorldSpec forged = spec();
    forged.tcb_info.content.evaluation_number = 99;
    forged.qe_identity.content.evaluation_number = 99;
    if (part == 0) forged.root_crl.signer = forged.stranger;
    if (part == 1) forged.pck_crl.signer = forged.stranger;
    if (part == 2) forged.qe_identity.signer = forged.stranger;
    if (part == 3) forged.tcb_info.signer = forged.stranger;
    publish(forged);
    if (part == 4) service_.collateral.pck_crl_issuer_chain.clear();
    source_of(wanted(), "forged" + std::to_string(part));
    service_.collateral = world().collateral;
    EXPECT_EQ(source_of(wanted(), "good" + std::to_string(part)), "pccs") << part;
  }
}

TEST_F(Superseded, IsOlderCollateralThatHidesWhoSignedItsCrl) {
  EXPECT_EQ(source_of(), "pccs");
  for (const int part : {0, 1, 2}) {
    sim::WorldSpec older = spec();
    if (part == 0) --older.tcb_info.content.evaluation_number;
    if (part == 1) --older.qe_identity.content.evaluation_number;
    if (part == 2) older.pck_crl.spec.crl_number = 4;
    publish(older);
    service_.collateral.pck_crl_issuer_chain.clear();
    EXPECT_EQ(source_of(wanted(), "other"), "collateral_superseded") << part;
  }
}

class SupersededByAServer : public Superseded {
 protected:
  /// hand_out is one connection to a server that hands out this evaluation number.
  Code hand_out(std::uint32_t number, bool is_accepted) {
    sim::WorldSpec changed = spec();
    changed.tcb_info.content.evaluation_number = number;
    changed.qe_identity.content.evaluation_number = number;
    publish(changed);
    const auto source =
        with_cache(std::make_unique<FakeSource>(service_, "stapled"),
                   {.name = "stapled", .baseline = Baseline::stapled, .on_disk = false}, root(),
                   {.dir = folder(), .background = false});
    const auto found = source->find(wanted());
    if (found && is_accepted) source->verified(**found);
    return found ? Code::ok : found.error().code();
  }
  const std::uint32_t usual_ = spec().tcb_info.content.evaluation_number;
};

TEST_F(SupersededByAServer, IsWhatIsLowerThanAVerdictHasAccepted) {
  EXPECT_EQ(hand_out(usual_ + 1, false), Code::ok);
  EXPECT_EQ(hand_out(usual_, true), Code::ok) << "the higher number was in no accepted verdict";
  EXPECT_EQ(hand_out(usual_ + 1, true), Code::ok);
  EXPECT_EQ(hand_out(usual_, true), Code::collateral_superseded);
  service_.collateral = world().collateral;
  EXPECT_EQ(source_of(), "pccs") << "a server may not raise the numbers of services";
}

TEST_F(SupersededByAServer, IsWhatIsLowerThanServicesGave) {
  EXPECT_EQ(source_of(), "pccs");
  EXPECT_EQ(hand_out(usual_ - 1, true), Code::collateral_superseded);
  EXPECT_EQ(hand_out(usual_, true), Code::ok);
}

TEST_F(SupersededByAServer, IsNotDecidedByWhatServicesGaveToOthers) {
  EXPECT_TRUE(open("early", Baseline::early)->find(wanted()).has_value());
  EXPECT_EQ(hand_out(usual_ - 1, true), Code::ok);
}

TEST_F(Superseded, DoesNotWaitForAVerdictOnAService) {
  const auto source = open();
  const auto found = source->find(wanted());
  ASSERT_TRUE(found.has_value());
  source->verified(**found);
  sim::WorldSpec older = spec();
  --older.tcb_info.content.evaluation_number;
  publish(older);
  EXPECT_EQ(source_of(wanted(), "other"), "collateral_superseded");
}

TEST_F(Superseded, IsForgottenWithADamagedFile) {
  EXPECT_EQ(source_of(), "pccs");
  for (const char* damaged : {"{", "[]", R"({"a": "b", "c": -1, "d": [1]})"}) {
    std::ofstream(folder() / "highest_numbers.json", std::ios::trunc) << damaged;
    EXPECT_EQ(source_of(), "cache") << damaged;
  }
}

TEST_F(Superseded, AnEntryIsDropped) {
  EXPECT_EQ(source_of(), "pccs");
  sim::WorldSpec newer = spec();
  ++newer.tcb_info.content.evaluation_number;
  ++newer.qe_identity.content.evaluation_number;
  publish(newer);
  EXPECT_EQ(source_of(wanted(), "other"), "pccs");
  EXPECT_EQ(source_of(), "pccs") << "its own entry is older than what another source gave";
}

}  // namespace
}  // namespace ratls
