// SPDX-License-Identifier: Apache-2.0
#include "sim/quote_maker.h"

#include <gtest/gtest.h>

#include "sim/world.h"

namespace ratls::sim {
namespace {

ReportData some_report_data() {
  ReportData out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(i + 1);
  }
  return out;
}

Quote made_and_parsed(const WorldSpec& spec) {
  const World world = build_world(spec).value();
  auto quote = parse_quote(world.quote(some_report_data()).value());
  if (!quote) ADD_FAILURE() << quote.error().message();
  return quote ? std::move(quote).value() : Quote{};
}

bool signed_with(const Key& key, BytesView message, const EcdsaSignature& signature) {
  return crypto::P256PublicKey::from_point(key->public_point().value())
      .value()
      .verify(message, signature.view());
}

bool key_bound(const Quote& quote) {
  const auto hash =
      crypto::sha256(quote.signature.attestation_key.view(), quote.signature.qe_auth_data);
  const BytesView report_data = quote.signature.qe_report.report_data.view();
  return std::ranges::equal(hash.bytes, report_data.first(32)) &&
         std::ranges::all_of(report_data.subspan(32), [](auto byte) { return byte == 0; });
}

void expect_genuine(const WorldSpec& spec, const Quote& quote) {
  EXPECT_TRUE(
      signed_with(spec.quote.attestation_key, quote.signed_bytes, quote.signature.signature));
  EXPECT_TRUE(signed_with(spec.pck.key, quote.signature.qe_report_bytes,
                          quote.signature.qe_report_signature));
  EXPECT_TRUE(key_bound(quote));
  EXPECT_EQ(quote.report_data(), some_report_data());
  EXPECT_EQ(quote.enclave()->mr_enclave, default_enclave().mr_enclave);
  EXPECT_FALSE(quote.enclave()->debug());
}

TEST(MakeQuote, Version3IsGenuine) {
  const WorldSpec spec = plan_world().value();
  const Quote quote = made_and_parsed(spec);
  expect_genuine(spec, quote);
  EXPECT_EQ(quote.header.version, 3);
  EXPECT_EQ(quote.signature.certification_data.type, CertificationType::pck_chain);
  EXPECT_EQ(quote.signature.certification_data.body.back(), 0);
}

TEST(MakeQuote, Version4IsGenuine) {
  WorldSpec spec = plan_world().value();
  spec.quote.header.version = 4;
  const Quote quote = made_and_parsed(spec);
  expect_genuine(spec, quote);
  EXPECT_EQ(quote.header.version, 4);
}

TEST(MakeQuote, NamesThePlatformByPpid) {
  for (const auto type : {CertificationType::ppid_clear, CertificationType::ppid_rsa2048,
                          CertificationType::ppid_rsa3072}) {
    WorldSpec spec = plan_world().value();
    spec.quote.certification.type = type;
    const Quote quote = made_and_parsed(spec);
    expect_genuine(spec, quote);
    EXPECT_EQ(quote.signature.certification_data.type, type);
    EXPECT_TRUE(build_world(spec).value().collateral.pck_certificate_chain.has_value());
  }
}

TEST(MakeQuote, ForgesSignaturesBySomebodyElse) {
  WorldSpec spec = plan_world().value();
  spec.quote.quote_signer = spec.stranger;
  spec.quote.qe_report_signer = spec.stranger;
  const Quote quote = made_and_parsed(spec);
  EXPECT_FALSE(
      signed_with(spec.quote.attestation_key, quote.signed_bytes, quote.signature.signature));
  EXPECT_TRUE(signed_with(spec.stranger, quote.signed_bytes, quote.signature.signature));
  EXPECT_FALSE(signed_with(spec.pck.key, quote.signature.qe_report_bytes,
                           quote.signature.qe_report_signature));
}

TEST(MakeQuote, ForgesAnUnboundAttestationKey) {
  WorldSpec spec = plan_world().value();
  spec.quote.qe_report_data = some_report_data();
  const Quote quote = made_and_parsed(spec);
  EXPECT_FALSE(key_bound(quote));
  EXPECT_TRUE(signed_with(spec.pck.key, quote.signature.qe_report_bytes,
                          quote.signature.qe_report_signature));
}

TEST(MakeQuote, SignsWhatWasEdited) {
  WorldSpec spec = plan_world().value();
  spec.quote.edit_qe_report = [](Bytes& report) { report[383] = 1; };
  spec.quote.edit_signed_bytes = [](Bytes& bytes) { bytes[2] = 3; };
  const World world = build_world(spec).value();
  const auto quote = parse_quote(world.quote({}).value());
  ASSERT_FALSE(quote.has_value());
  EXPECT_EQ(quote.error().code(), Code::quote_unsupported);
  spec.quote.edit_signed_bytes = nullptr;
  const Quote edited = made_and_parsed(spec);
  EXPECT_EQ(edited.signature.qe_report.report_data.bytes[63], 1);
  EXPECT_TRUE(signed_with(spec.pck.key, edited.signature.qe_report_bytes,
                          edited.signature.qe_report_signature));
}

TEST(MakeQuote, WritesAnyCertificationData) {
  WorldSpec spec = plan_world().value();
  spec.certification_body = Bytes{1, 2, 3};
  EXPECT_EQ(made_and_parsed(spec).signature.certification_data.body, (Bytes{1, 2, 3}));
  spec.quote.certification.type = static_cast<CertificationType>(7);
  const auto quote = parse_quote(build_world(spec).value().quote({}).value());
  ASSERT_FALSE(quote.has_value());
  EXPECT_EQ(quote.error().code(), Code::certification_data_unsupported);
}

TEST(WriteEnclaveReport, ReadsBackAsWritten) {
  EnclaveReport report = default_enclave();
  report.misc_select = 0x01020304;
  report.isv_svn = 0x0506;
  report.config_svn = 0x0708;
  report.config_id.bytes[63] = 9;
  report.isv_family_id.bytes[15] = 10;
  report.isv_ext_prod_id.bytes[0] = 11;
  report.report_data = some_report_data();
  const Bytes bytes = write_enclave_report(report);
  ASSERT_EQ(bytes.size(), EnclaveReport::kSize);
  const EnclaveReport read = parse_enclave_report(bytes).value();
  EXPECT_EQ(read.misc_select, report.misc_select);
  EXPECT_EQ(read.isv_svn, report.isv_svn);
  EXPECT_EQ(read.config_svn, report.config_svn);
  EXPECT_EQ(read.config_id, report.config_id);
  EXPECT_EQ(read.isv_family_id, report.isv_family_id);
  EXPECT_EQ(read.isv_ext_prod_id, report.isv_ext_prod_id);
  EXPECT_EQ(read.attributes, report.attributes);
  EXPECT_EQ(read.mr_signer, report.mr_signer);
  EXPECT_EQ(read.report_data, report.report_data);
}

}  // namespace
}  // namespace ratls::sim
