// SPDX-License-Identifier: Apache-2.0
#include "collateral/document.h"

#include <gtest/gtest.h>

namespace ratls::collateral {
namespace {

const std::string kSignature(128, 'a');

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
        "{\"tcbInfo\":{},\"signature\":\"" + std::string(128, 'z') + "\"}",
        "[\"tcbInfo\":{}," + signature + "}", "{\"tcbInfo\";{}," + signature + "}",
        "{\"tcbInfo\":{};" + signature + "}", "{\"tcbInfo\":{}," + signature + "]",
        "{tcbInfo\":{}," + signature + "}", "{\"tcbInfo\":{},\"signature\":" + kSignature + "\"}",
        "{\"tcbInfo\":" + std::string(100, '[') + "," + signature + "}"}) {
    const auto sliced = slice_document(body, "tcbInfo");
    ASSERT_FALSE(sliced.has_value()) << body;
    EXPECT_EQ(sliced.error().code(), Code::collateral_malformed);
  }
}

TEST(DecodeCrl, ReadsTheThreeForms) {
  EXPECT_EQ(to_hex(decode_crl("\x30\x01").value()), "3001");
  EXPECT_EQ(to_hex(decode_crl("3001\n").value()), "3001");
  EXPECT_TRUE(decode_crl("-----BEGIN X509 CRL-----").has_value());
  for (const char* wrong : {"", "<html>", "30f"}) EXPECT_FALSE(decode_crl(wrong).has_value());
}

}  // namespace
}  // namespace ratls::collateral
