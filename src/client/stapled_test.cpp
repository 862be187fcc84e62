// SPDX-License-Identifier: Apache-2.0
#include "client/stapled.h"

#include <gtest/gtest.h>

#include "ratls/client.h"
#include "support/attested_peer.h"
#include "support/raw_server.h"

namespace ratls {
namespace {

using testing::answer_all;
using testing::Context;
using testing::IdentityOptions;
using testing::make_identity;
using testing::make_platform;
using testing::make_server_context;
using testing::must;
using testing::ok_answer;
using testing::Platform;
using testing::RawServer;

/// StapledTest has a server whose certificate brings collateral and that hands out some, and counts
/// how often it was asked for that.
class StapledTest : public ::testing::Test {
 protected:
  Collateral fresh() const { return platform_.world.collateral; }

  Collateral ended() const {
    sim::WorldSpec spec = spec_;
    spec.tcb_info.content.issue_date = now_ - std::chrono::days(2);
    spec.tcb_info.content.next_update = now_ - std::chrono::days(1);
    spec.root.issued = platform_.world.root_der;
    return must(sim::build_world(spec)).collateral;
  }

  void serve(Bytes endorsements, std::optional<Collateral> handed_out) {
    IdentityOptions options;
    options.not_before = now_ - std::chrono::hours(1);
    options.not_after = now_ + std::chrono::hours(24);
    options.endorsements = std::move(endorsements);
    context_ = make_server_context(make_identity(platform_, options));
    server_ = std::make_unique<RawServer>(
        answer_all(context_.get(), [this, handed_out](const std::string& request) {
          if (!request.starts_with("GET /.well-known/ratls/collateral ")) return ok_answer("hello");
          ++asked_;
          if (handed_out) return ok_answer(format_collateral(*handed_out));
          return std::string("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }));
    Policy policy = platform_.policy;
    policy.collateral.sources = {"stapled"};
    policy.tcb.min_evaluation_number = 1;
    ClientOptions client;
    client.use_environment_proxy = false;
    client_.emplace(must(Client::create(server_->url(), std::move(policy), client)));
  }

  Code connect() {
    const auto session = client_->connect();
    return session ? Code::ok : session.error().code();
  }

  const UnixTime now_ = system_now();
  const sim::WorldSpec spec_ = testing::plan_platform(now_);
  Platform platform_ = make_platform(spec_);
  std::atomic<int> asked_ = 0;
  Context context_;
  std::unique_ptr<RawServer> server_;
  std::optional<Client> client_;
};

TEST_F(StapledTest, TheCertificateBringsAllForEachConnection) {
  serve(format_endorsements(fresh()), std::nullopt);
  EXPECT_EQ(connect(), Code::ok);
  EXPECT_EQ(connect(), Code::ok) << "the certificate is known now, and brings the same";
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(StapledTest, TheServerIsAskedWhenTheCertificateBringsWhatHasEnded) {
  serve(format_endorsements(ended()), fresh());
  EXPECT_EQ(connect(), Code::ok);
  EXPECT_EQ(asked_, 1);
}

TEST_F(StapledTest, TheServerIsAskedWhenTheCertificateBringsWhatCannotBeRead) {
  serve({1, 2, 3}, fresh());
  EXPECT_EQ(connect(), Code::ok);
  EXPECT_EQ(asked_, 1);
}

TEST_F(StapledTest, WhatTheCertificateBringsDecidesWhenTheServerHandsOutNone) {
  serve(format_endorsements(ended()), std::nullopt);
  EXPECT_EQ(connect(), Code::tcb_info_expired);
  EXPECT_EQ(asked_, 1);
}

TEST_F(StapledTest, WhatTheServerHandsOutIsJudgedToo) {
  serve({}, ended());
  EXPECT_EQ(connect(), Code::tcb_info_expired);
  serve({1, 2, 3}, std::nullopt);
  EXPECT_EQ(connect(), Code::collateral_malformed) << "the server has nothing, and this is why";
}

}  // namespace
}  // namespace ratls
