// SPDX-License-Identifier: Apache-2.0
// Every single-byte change of a valid quote and of a valid attested certificate is refused.
#include <map>

#include "verifier/trial.h"

namespace ratls::testing {
namespace {

/// Judge verifies many variants against collateral that was prepared once.
class Judge {
 public:
  explicit Judge(const Trial& trial)
      : verifier_(Verifier::create(trial.policy).value()),
        source_(trial.prepared(verifier_.root())),
        now_(trial.now) {}
  bool accepts_quote(BytesView quote) {
    return verifier_.verify_quote(quote, source_, now_).accepted();
  }
  bool accepts_certificate(BytesView der) {
    return verifier_.verify_certificate(der, {}, source_, now_).accepted();
  }

 private:
  Verifier verifier_;
  GivenCollateral source_;
  UnixTime now_;
};

// One bit low, one bit high, all bits; and the letter case, which text formats may fold.
constexpr std::uint8_t kChanges[] = {0x01, 0x80, 0xff, 0x20};

std::size_t find_text(BytesView bytes, std::string_view text) {
  const auto found = std::search(bytes.begin(), bytes.end(), text.begin(), text.end());
  return static_cast<std::size_t>(found - bytes.begin());
}

/// Form is one that quotes have.
struct Form {
  const char* name;
  std::uint16_t version;
  Tee tee;
  bool td15;
};

class QuoteBytes : public ::testing::TestWithParam<Form> {};

TEST_P(QuoteBytes, AllCount) {
  sim::WorldBasics basics;
  if (GetParam().tee == Tee::tdx) basics.td = sim::default_td();
  if (GetParam().td15) basics.td->tee_tcb_svn2 = basics.td->tee_tcb_svn;
  sim::WorldSpec spec = sim::plan_world(basics).value();
  spec.quote.header.version = GetParam().version;
  const Trial trial(spec);
  Judge judge(trial);
  Bytes quote = trial.quote();
  ASSERT_TRUE(judge.accepts_quote(quote));
  std::map<std::size_t, int> accepted;
  for (std::size_t i = 0; i < quote.size(); ++i) {
    for (const std::uint8_t change : kChanges) {
      quote[i] ^= change;
      if (judge.accepts_quote(quote)) ++accepted[i];
      quote[i] ^= change;
    }
  }
  for (const auto& [position, count] : accepted) {
    ADD_FAILURE() << "byte " << position << " of " << quote.size() << ", PEM begins at "
                  << find_text(quote, "-----BEGIN") << ": " << int(quote[position])
                  << " accepted in " << count << " variants";
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, QuoteBytes,
                         ::testing::Values(Form{"SgxVersion3", 3, Tee::sgx, false},
                                           Form{"SgxVersion4", 4, Tee::sgx, false},
                                           Form{"SgxVersion5", 5, Tee::sgx, false},
                                           Form{"TdxVersion4", 4, Tee::tdx, false},
                                           Form{"Tdx15Version5", 5, Tee::tdx, true}),
                         [](const auto& info) { return info.param.name; });

TEST(CertificateBytes, AllCount) {
  const Trial trial(sim::plan_world().value());
  Judge judge(trial);
  Bytes certificate = trial.attested_certificate();
  ASSERT_TRUE(judge.accepts_certificate(certificate));
  for (std::size_t i = 0; i < certificate.size(); ++i) {
    for (const std::uint8_t change : kChanges) {
      certificate[i] ^= change;
      EXPECT_FALSE(judge.accepts_certificate(certificate))
          << "byte " << i << " of " << certificate.size() << " with " << int(change);
      certificate[i] ^= change;
    }
  }
}

TEST(QuoteLength, EveryShorterOneIsRefused) {
  const Trial trial(sim::plan_world().value());
  Judge judge(trial);
  const Bytes quote = trial.quote();
  for (std::size_t length = 0; length < quote.size(); ++length) {
    EXPECT_FALSE(judge.accepts_quote(BytesView(quote).first(length))) << length;
  }
}

TEST(QuoteLength, WhatFollowsTheQuoteIsIgnoredAsIntelDoes) {
  const Trial trial(sim::plan_world().value());
  Judge judge(trial);
  Bytes quote = trial.quote();
  quote.insert(quote.end(), 100, 0);
  EXPECT_TRUE(judge.accepts_quote(quote));
}

}  // namespace
}  // namespace ratls::testing
