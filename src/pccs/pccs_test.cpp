// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "pccs/address.h"
#include "pccs/answer.h"

namespace ratls::pccs {
namespace {

const CollateralRequest kSgx{.tee = "sgx", .fmspc = "00906ed50000", .pck_ca = "platform"};

TEST(Address, KnowsIntelsService) {
  const auto address = Address::parse("pcs");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->tcb(kSgx, {}),
            "https://api.trustedservices.intel.com/sgx/certification/v4/tcb?fmspc=00906ed50000"
            "&update=standard");
  EXPECT_THAT(
      address->root_crl(),
      testing::ElementsAre("https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"));
}

TEST(Address, TakesBaseWithAndWithoutVersion) {
  for (const char* base :
       {"https://h:8081", "https://h:8081/", "https://h:8081/sgx/certification/v4/"}) {
    const auto address = Address::parse(base);
    ASSERT_TRUE(address.has_value()) << base;
    EXPECT_EQ(address->pck_crl(kSgx),
              "https://h:8081/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
  }
  const auto old = Address::parse("https://h/a/sgx/certification/v3");
  ASSERT_TRUE(old.has_value());
  EXPECT_EQ(old->root_crl().front(), "https://h/a/sgx/certification/v3/rootcacrl");
}

TEST(Address, KnowsWhereAzureHasTheRootsCrl) {
  const auto address = Address::parse("https://global.acccache.azure.net/sgx/certification/v4/");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->pck_crl(kSgx),
            "https://global.acccache.azure.net/sgx/certification/v4/pckcrl?ca=platform"
            "&encoding=der");
  EXPECT_THAT(address->root_crl(),
              testing::ElementsAre("https://global.acccache.azure.net/sgx/certificates/pckcrl?uri="
                                   "https://certificates.trustedservices.intel.com/"
                                   "IntelSGXRootCA.der"));
}

TEST(Address, AsksForTdxAndForANumber) {
  CollateralRequest tdx = kSgx;
  tdx.tee = "tdx";
  const auto address = Address::parse("https://h");
  ASSERT_TRUE(address.has_value());
  const PccsOptions numbered{.early = true, .evaluation_number = 17, .ca_pem = {}};
  EXPECT_EQ(address->qe_identity(tdx, numbered),
            "https://h/tdx/certification/v4/qe/identity?tcbEvaluationDataNumber=17");
}

TEST(Address, RefusesHttpToOthersAndWhatIsNoBase) {
  for (const char* url : {"http://127.0.0.1:8081/", "http://localhost", "http://[::1]:1/"}) {
    EXPECT_TRUE(Address::parse(url).has_value()) << url;
  }
  for (const char* url : {"http://h/", "http://127.evil.example/", "http://127.0.0.1.nip.io/",
                          "https://", "https://u@h/", "https://h/?a", "ftp://h", ""}) {
    const auto address = Address::parse(url);
    ASSERT_FALSE(address.has_value()) << url;
    EXPECT_EQ(address.error().code(), Code::policy_invalid);
  }
}

TEST(DecodeChain, TakesThePercentEncodingOff) {
  EXPECT_EQ(decode_chain("-----BEGIN%20A-----%0A+/").value(), "-----BEGIN A-----\n+/");
  for (const char* wrong : {"%", "%1", "%zz"}) EXPECT_FALSE(decode_chain(wrong).has_value());
}

}  // namespace
}  // namespace ratls::pccs
