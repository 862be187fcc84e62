// SPDX-License-Identifier: Apache-2.0
#include "sim/pki.h"

#include <gtest/gtest.h>

#include "sim/world.h"
#include "x509/crl.h"

namespace ratls::sim {
namespace {

x509::Certificate parsed(const CertificateDraft& draft) {
  return x509::parse_certificate(issue(draft).value(), Code::internal).value();
}

crypto::P256PublicKey key_of(const x509::Certificate& certificate) {
  return x509::p256_key(certificate, Code::internal).value();
}

x509::Certificate pck_with(const std::vector<Bytes>& fields) {
  WorldSpec spec = plan_world().value();
  spec.pck.spec.extensions.push_back(sgx_extension(fields));
  return parsed(spec.pck);
}

TEST(Pki, FollowsIntelsProfile) {
  const WorldSpec spec = plan_world().value();
  const auto root = parsed(spec.root);
  const auto ca = parsed(spec.pck_ca);
  const auto pck = parsed(spec.pck);
  const auto tcb_signing = parsed(spec.tcb_signing);
  EXPECT_EQ(root.subject_common_name, "Intel SGX Root CA");
  EXPECT_EQ(ca.subject_common_name, "Intel SGX PCK Platform CA");
  EXPECT_EQ(pck.subject_common_name, "Intel SGX PCK Certificate");
  EXPECT_EQ(tcb_signing.subject_common_name, "Intel SGX TCB Signing");
  EXPECT_EQ(root.is_ca, true);
  EXPECT_EQ(root.path_length, 1);
  EXPECT_EQ(ca.is_ca, true);
  EXPECT_EQ(ca.path_length, 0);
  EXPECT_FALSE(pck.is_ca.value_or(true));
  EXPECT_FALSE(tcb_signing.is_ca.value_or(true));
  EXPECT_EQ(root.key_usage, 0x60);
  EXPECT_EQ(ca.key_usage, 0x60);
  EXPECT_EQ(pck.key_usage, 0x03);
  EXPECT_LT(root.not_before, kWorldTime - std::chrono::hours(23));
  EXPECT_GT(pck.not_after, kWorldTime + std::chrono::days(365));
}

TEST(Pki, ChainsVerify) {
  const WorldSpec spec = plan_world().value();
  const auto root = parsed(spec.root);
  const auto ca = parsed(spec.pck_ca);
  EXPECT_TRUE(x509::signed_by(root, root, key_of(root)));
  EXPECT_TRUE(x509::signed_by(ca, root, key_of(root)));
  EXPECT_TRUE(x509::signed_by(parsed(spec.pck), ca, key_of(ca)));
  EXPECT_TRUE(x509::signed_by(parsed(spec.tcb_signing), root, key_of(root)));
}

TEST(Pki, StrangersSignatureDoesNotVerify) {
  WorldSpec spec = plan_world().value();
  spec.pck.signer = spec.stranger;
  const auto ca = parsed(spec.pck_ca);
  const auto pck = parsed(spec.pck);
  EXPECT_EQ(pck.issuer, ca.subject);
  EXPECT_FALSE(x509::signed_by(pck, ca, key_of(ca)));
}

TEST(Pki, IssuedCertificateStaysTheSame) {
  WorldSpec spec = plan_world().value();
  spec.root.issued = issue(spec.root).value();
  EXPECT_EQ(issue(spec.root).value(), *spec.root.issued);
}

TEST(Pki, ProcessorCaHasItsOwnName) {
  WorldBasics basics;
  basics.pck_ca = PckCa::processor;
  const WorldSpec spec = plan_world(basics).value();
  EXPECT_EQ(parsed(spec.pck_ca).subject_common_name, "Intel SGX PCK Processor CA");
  EXPECT_FALSE(spec.machine->platform_instance_id.has_value());
}

TEST(Pki, CrlsAreSignedByTheirIssuersAndRevoke) {
  WorldSpec spec = plan_world().value();
  spec.root_crl.spec.revoked_serials = {spec.pck_ca.spec.serial};
  spec.pck_crl.spec.revoked_serials = {spec.pck.spec.serial};
  const auto root = parsed(spec.root);
  const auto ca = parsed(spec.pck_ca);
  const auto root_crl = x509::parse_crl(issue(spec.root_crl).value(), "root").value();
  const auto pck_crl = x509::parse_crl(issue(spec.pck_crl).value(), "pck").value();
  EXPECT_TRUE(x509::signed_by(root_crl, root, key_of(root)));
  EXPECT_TRUE(x509::signed_by(pck_crl, ca, key_of(ca)));
  EXPECT_TRUE(root_crl.revokes(ca));
  EXPECT_TRUE(pck_crl.revokes(parsed(spec.pck)));
  EXPECT_FALSE(root_crl.revokes(parsed(spec.tcb_signing)));
}

TEST(Pki, CrlBySomebodyElseDoesNotVerify) {
  WorldSpec spec = plan_world().value();
  spec.pck_crl.signer = spec.stranger;
  const auto ca = parsed(spec.pck_ca);
  const auto crl = x509::parse_crl(issue(spec.pck_crl).value(), "pck").value();
  EXPECT_EQ(crl.issuer, ca.subject);
  EXPECT_FALSE(x509::signed_by(crl, ca, key_of(ca)));
}

TEST(SgxExtension, ReadsBackAsWritten) {
  for (const PckCa kind : {PckCa::platform, PckCa::processor}) {
    const auto machine = default_machine(kind);
    const auto read = x509::parse_pck_extension(pck_with(sgx_extension_fields(machine)));
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_EQ(read->ppid, machine.ppid);
    EXPECT_EQ(read->tcb_components, machine.tcb_components);
    EXPECT_EQ(read->pce_svn, machine.pce_svn);
    EXPECT_EQ(read->cpu_svn, machine.cpu_svn);
    EXPECT_EQ(read->pce_id, machine.pce_id);
    EXPECT_EQ(read->fmspc, machine.fmspc);
    EXPECT_EQ(read->sgx_type, machine.sgx_type);
    EXPECT_EQ(read->platform_instance_id, machine.platform_instance_id);
  }
}

TEST(SgxExtension, EveryMandatoryFieldIsMissedAndNoneMayBeThereTwice) {
  const std::vector<Bytes> whole = sgx_extension_fields(default_machine(PckCa::processor));
  ASSERT_EQ(whole.size(), 5U);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::vector<Bytes> fields = whole;
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(i));
    const auto without = x509::parse_pck_extension(pck_with(fields));
    ASSERT_FALSE(without.has_value()) << "field " << i;
    EXPECT_EQ(without.error().code(), Code::pck_chain_malformed);
    fields = whole;
    fields.push_back(whole[i]);
    EXPECT_FALSE(x509::parse_pck_extension(pck_with(fields)).has_value()) << "field " << i;
  }
}

TEST(SgxExtension, CanBeLeftOut) {
  const WorldSpec spec = plan_world().value();
  EXPECT_FALSE(x509::parse_pck_extension(parsed(spec.pck)).has_value());
}

}  // namespace
}  // namespace ratls::sim
