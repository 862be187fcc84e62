// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "pccs/address.h"
#include "pccs/answer.h"

namespace ratls::pccs {
namespace {

const CollateralRequest kSgx{.tee = "sgx", .fmspc = "00906ed50000", .pck_ca = "platform"};
const std::string kSignature(128, 'a');

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

TEST(SliceDocument, GivesTheExactBytes) {
  const std::string text = R"({"a" : "}\"]" , "b":[{}, 1]})";
  const std::string signature = "\"signature\":\"" + kSignature + "\"";
  for (const std::string& body : {"{\"tcbInfo\":" + text + "," + signature + "}",
                                  " { " + signature + " , \"tcbInfo\" : " + text + " } \n"}) {
    const auto sliced = slice_document(body, "tcbInfo");
    ASSERT_TRUE(sliced.has_value()) << body;
    EXPECT_EQ(sliced->text, text);
    EXPECT_EQ(to_hex(sliced->signature), kSignature);
  }
}

TEST(SliceDocument, RefusesAnythingElse) {
  const std::string signature = "\"signature\":\"" + kSignature + "\"";
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("{\"tcbInfo\":{}}"),
        "{\"tcbInfo\":{}," + signature + "}x", "{\"tcbInfo\":{]," + signature + "}",
        "{\"tcbInfo\":\"{}\"," + signature + "}", std::string("{\"tcbInfo\":{},\"tcbInfo\":{}}"),
        "{\"other\":{}," + signature + "}", std::string("{\"tcbInfo\":{\"a\":\"\\"),
        std::string("{\"tcbInfo\":{},\"signature\":\"aa\"}"),
        "{\"tcbInfo\":" + std::string(100, '[') + "," + signature + "}"}) {
    const auto sliced = slice_document(body, "tcbInfo");
    ASSERT_FALSE(sliced.has_value()) << body;
    EXPECT_EQ(sliced.error().code(), Code::collateral_malformed);
  }
}

TEST(DecodeChain, TakesThePercentEncodingOff) {
  EXPECT_EQ(decode_chain("-----BEGIN%20A-----%0A+/").value(), "-----BEGIN A-----\n+/");
  for (const char* wrong : {"%", "%1", "%zz"}) EXPECT_FALSE(decode_chain(wrong).has_value());
}

TEST(DecodeCrl, ReadsTheThreeForms) {
  EXPECT_EQ(to_hex(decode_crl("\x30\x01").value()), "3001");
  EXPECT_EQ(to_hex(decode_crl("3001\n").value()), "3001");
  EXPECT_TRUE(decode_crl("-----BEGIN X509 CRL-----").has_value());
  for (const char* wrong : {"", "<html>", "30f"}) EXPECT_FALSE(decode_crl(wrong).has_value());
}

}  // namespace
}  // namespace ratls::pccs
