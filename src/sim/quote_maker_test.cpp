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

// Every field differs from every other.
TdReport some_td(bool td15) {
  TdReport td;
  td.tee_tcb_svn.bytes.fill(1);
  td.mr_seam.bytes.fill(2);
  td.mr_signer_seam.bytes.fill(3);
  td.seam_attributes.bytes.fill(4);
  td.td_attributes.bytes.fill(5);
  td.xfam.bytes.fill(6);
  td.mr_td.bytes.fill(7);
  td.mr_config_id.bytes.fill(8);
  td.mr_owner.bytes.fill(9);
  td.mr_owner_config.bytes.fill(10);
  for (std::size_t i = 0; i < td.rtmr.size(); ++i) {
    td.rtmr[i].bytes.fill(static_cast<std::uint8_t>(11 + i));
  }
  td.report_data.bytes.fill(15);
  if (td15) {
    td.tee_tcb_svn2.emplace().bytes.fill(16);
    td.mr_service_td.emplace().bytes.fill(17);
  }
  return td;
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

TEST(MakeQuote, Version5AnnouncesAnEnclave) {
  WorldSpec spec = plan_world().value();
  spec.quote.header.version = 5;
  const Quote quote = made_and_parsed(spec);
  expect_genuine(spec, quote);
  EXPECT_EQ(quote.header.version, 5);
  EXPECT_EQ(quote.body_offset, QuoteHeader::kSize + 6);
}

TEST(MakeQuote, OfATdIsGenuineInEachForm) {
  struct Form {
    std::uint16_t version;
    bool td15;
    std::size_t body_offset;
  };
  for (const Form& form : {Form{4, false, 48}, Form{5, false, 54}, Form{5, true, 54}}) {
    WorldSpec spec = plan_world().value();
    spec.quote.header.version = form.version;
    spec.quote.header.tee_type = kTeeTypeTdx;
    spec.quote.td = some_td(form.td15);
    const Quote quote = made_and_parsed(spec);
    ASSERT_NE(quote.td(), nullptr);
    EXPECT_EQ(quote.header.version, form.version);
    EXPECT_EQ(quote.body_offset, form.body_offset);
    EXPECT_EQ(quote.td()->tee_tcb_svn2.has_value(), form.td15);
    EXPECT_EQ(quote.td()->mr_td, spec.quote.td->mr_td);
    EXPECT_EQ(quote.report_data(), some_report_data());
    EXPECT_TRUE(
        signed_with(spec.quote.attestation_key, quote.signed_bytes, quote.signature.signature));
    EXPECT_TRUE(key_bound(quote));
  }
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

TEST(WriteTdReport, ReadsBackAsWritten) {
  for (const bool td15 : {false, true}) {
    const TdReport report = some_td(td15);
    const Bytes bytes = write_td_report(report);
    ASSERT_EQ(bytes.size(), td15 ? TdReport::kSize15 : TdReport::kSize10);
    const TdReport read = parse_td_report(bytes).value();
    EXPECT_EQ(read.tee_tcb_svn, report.tee_tcb_svn);
    EXPECT_EQ(read.mr_seam, report.mr_seam);
    EXPECT_EQ(read.mr_signer_seam, report.mr_signer_seam);
    EXPECT_EQ(read.seam_attributes, report.seam_attributes);
    EXPECT_EQ(read.td_attributes, report.td_attributes);
    EXPECT_EQ(read.xfam, report.xfam);
    EXPECT_EQ(read.mr_td, report.mr_td);
    EXPECT_EQ(read.mr_config_id, report.mr_config_id);
    EXPECT_EQ(read.mr_owner, report.mr_owner);
    EXPECT_EQ(read.mr_owner_config, report.mr_owner_config);
    EXPECT_EQ(read.rtmr, report.rtmr);
    EXPECT_EQ(read.report_data, report.report_data);
    EXPECT_EQ(read.tee_tcb_svn2, report.tee_tcb_svn2);
    EXPECT_EQ(read.mr_service_td, report.mr_service_td);
  }
}

}  // namespace
}  // namespace ratls::sim
