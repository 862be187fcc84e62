// SPDX-License-Identifier: Apache-2.0
// The extensions that Intel's profile demands of certificates, each missing in turn.
#include "verifier/trial.h"

namespace ratls::testing {
namespace {

struct Certificate {
  const char* name;
  sim::CertificateDraft sim::WorldSpec::*draft;
  Code code;
};

class Profile : public ::testing::TestWithParam<Certificate> {};

TEST_P(Profile, DemandsFiveExtensions) {
  // Of 2.5.29: identifiers of the subject's and the issuer's key, usage, constraints, CRLs.
  for (const int last : {14, 15, 19, 31, 35}) {
    const x509::Oid oid = x509::oid_from_text("2.5.29." + std::to_string(last));
    sim::WorldSpec spec = sim::plan_world().value();
    ASSERT_EQ(std::erase_if((spec.*GetParam().draft).spec.extensions,
                            [&](const x509::Extension& present) { return present.oid == oid; }),
              1U);
    EXPECT_TRUE(refused_with(Trial(spec).judge_quote(), GetParam().code)) << last;
  }
}

const Certificate kCertificates[] = {
    {"Pck", &sim::WorldSpec::pck, Code::pck_chain_untrusted},
    {"PckCa", &sim::WorldSpec::pck_ca, Code::pck_chain_untrusted},
    {"TcbSigning", &sim::WorldSpec::tcb_signing, Code::tcb_chain_untrusted},
};

INSTANTIATE_TEST_SUITE_P(Verifier, Profile, ::testing::ValuesIn(kCertificates),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace ratls::testing
