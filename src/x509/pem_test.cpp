// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/reader.h"
#include "x509/certificate.h"

namespace ratls::x509 {
namespace {

constexpr Code kCode = Code::pck_chain_malformed;
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----\n";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";

Result<std::vector<Bytes>> split(std::string_view text, std::size_t max_count = 3) {
  return split_pem(as_bytes(text), "CERTIFICATE", max_count, kCode);
}

// The blocks in hex, or what refused them.
std::vector<std::string> blocks(std::string_view text, std::size_t max_count = 3) {
  const auto result = split(text, max_count);
  if (!result) return {result.error().code() == kCode ? "refused" : "another code"};
  std::vector<std::string> out;
  for (const Bytes& block : *result) out.push_back(to_hex(block));
  return out;
}

using Texts = std::vector<std::string>;

std::string block(std::string_view base64) {
  return std::string(kBegin) + std::string(base64) + "\n" + std::string(kEnd);
}

TEST(SplitPem, ReadsSeveralBlocks) {
  EXPECT_EQ(blocks(block("AQID") + block("BA==") + block("BQY=")), (Texts{"010203", "04", "0506"}));
}

TEST(SplitPem, AcceptsCrlfBlankLinesAndOneNul) {
  EXPECT_EQ(blocks("-----BEGIN CERTIFICATE-----\r\nAQ\r\nID\r\n-----END CERTIFICATE-----\r\n"),
            Texts{"010203"});
  EXPECT_EQ(blocks("\n" + block("AQID") + "\r\n\n" + block("BA==") + "\n"),
            (Texts{"010203", "04"}));
  EXPECT_EQ(blocks(block("AQID") + std::string(1, '\0')), Texts{"010203"});
  EXPECT_EQ(blocks("-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----"),
            Texts{"010203"});
}

TEST(SplitPem, AcceptsBeginOnTheLineOfEnd) {
  std::string text = block("AQID");
  text.pop_back();
  EXPECT_EQ(blocks(text + block("BA==")), (Texts{"010203", "04"}));
}

TEST(SplitPem, RefusesOtherText) {
  const std::string one = block("AQID");
  for (const std::string& bad :
       {std::string(), std::string("\n"), std::string(1, '\0'), std::string("text"), "x" + one,
        "text\n" + one, one + "text", one + "x\n" + one, one + std::string(2, '\0'), " " + one,
        one + " \n", one.substr(0, one.size() - 1) + " \n",
        one.substr(0, one.size() - 1) + "x" + one, one + std::string(1, '\0') + "\n"}) {
    EXPECT_EQ(blocks(bad), Texts{"refused"}) << bad;
  }
}

TEST(SplitPem, RefusesUnfinishedBlocks) {
  for (std::string_view bad : {"-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAQID\n",
                               "-----BEGIN CERTIFICATE-----\nAQID\n-----END X509 CRL-----\n",
                               "-----BEGIN CERTIFICATE-----\nAQID\n-----BEGIN CERTIFICATE-----\n",
                               "-----END CERTIFICATE-----\n",
                               "-----BEGIN X509 CRL-----\nAQID\n-----END X509 CRL-----\n"}) {
    EXPECT_EQ(blocks(bad), Texts{"refused"}) << bad;
  }
}

TEST(SplitPem, RefusesMalformedBase64) {
  for (std::string_view bad : {"", "A", "AQ", "AQI", "AQID=", "====", "A===", "AQ=D", "AR==",
                               "AQJ=", "AQ==AQID", "AQ ID", "AQI-", "AQI_", "AQID\t", "AQI\xC3"}) {
    EXPECT_EQ(blocks(block(bad)), Texts{"refused"}) << bad;
  }
}

TEST(SplitPem, KeepsItsMaximum) {
  const std::string two = block("AQID") + block("AQID");
  EXPECT_EQ(blocks(two, 2).size(), 2U);
  EXPECT_EQ(blocks(two, 2)[0], "010203");
  EXPECT_EQ(blocks(two, 1), Texts{"refused"});
}

TEST(SplitPem, RefusesBlocksTooLarge) {
  EXPECT_EQ(blocks(block(std::string(6 * 1024 * 1024, 'A'))), Texts{"refused"});
}

TEST(ToPem, RoundTripsEverySize) {
  Bytes bytes;
  for (int i = 0; i < 200; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 37));
    const std::string text = to_pem(bytes, "CERTIFICATE");
    EXPECT_EQ(blocks(text), Texts{to_hex(bytes)});
    std::size_t longest = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      longest = std::max(longest, end - at);
      at = end + 1;
    }
    EXPECT_LE(longest, 64U);
  }
}

TEST(ParsePemChain, NamesTheCertificateThatFails) {
  const auto result = parse_pem_chain(as_bytes(block("AQID")), 3, kCode);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), kCode);
  EXPECT_TRUE(result.error().where().starts_with("certificate 0"));
}

}  // namespace
}  // namespace ratls::x509
