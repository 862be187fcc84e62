// SPDX-License-Identifier: Apache-2.0

// Real certificates and lists: strict parsing must not refuse any that is in use, and has to read
// the same as OpenSSL.
#include <gtest/gtest.h>

#include "base/reader.h"
#include "support/openssl_fields.h"
#include "support/vectors.h"
#include "x509/crl.h"
#include "x509/pck_extension.h"

namespace ratls::x509 {
namespace {

namespace fs = std::filesystem;
using testing::fields_by_openssl;
using testing::fields_of;
using testing::read_vector;

class RealVectors : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto dir = testing::vectors_dir();
    if (!dir) GTEST_SKIP() << "the shared vectors are not there";
    root_ = *dir;
  }
  // The files of this name, or ending so, below real.
  std::vector<fs::path> files(std::string_view name_end) const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(root_ / "real")) {
      if (entry.is_regular_file() && entry.path().filename().string().ends_with(name_end)) {
        out.push_back(entry.path());
      }
    }
    return out;
  }
  fs::path root_;
};

std::vector<Certificate> chain(BytesView pem, const std::string& where) {
  auto parsed = parse_pem_chain(pem, 8, Code::pck_chain_malformed);
  EXPECT_TRUE(parsed) << where << ": " << parsed.error().where() << " " << parsed.error().detail();
  return parsed ? std::move(parsed).value() : std::vector<Certificate>();
}

void expect_chain_reads_as_openssl(BytesView pem, const std::string& where) {
  for (const Certificate& certificate : chain(pem, where)) {
    EXPECT_EQ(fields_of(certificate), fields_by_openssl(certificate.der)) << where;
  }
}

TEST_F(RealVectors, PemChainsParse) {
  std::size_t seen = 0;
  for (const fs::path& path : files(".pem")) {
    const Bytes pem = read_vector(path);
    if (as_text(pem).find("BEGIN CERTIFICATE") == std::string_view::npos) continue;
    expect_chain_reads_as_openssl(pem, path);
    ++seen;
  }
  EXPECT_GT(seen, 100U);
}

// With the forms that quoting libraries write: NUL at the end, END and BEGIN on one line.
TEST_F(RealVectors, ChainsInQuotesParse) {
  std::size_t seen = 0;
  for (const fs::path& path : files("quote.bin")) {
    const Bytes quote = read_vector(path);
    const std::string_view text = as_text(quote);
    const std::size_t begin = text.find("-----BEGIN CERTIFICATE");
    const std::string_view end_line = "-----END CERTIFICATE-----\n";
    const std::size_t end = text.rfind(end_line);
    if (begin == std::string_view::npos || end == std::string_view::npos) continue;
    expect_chain_reads_as_openssl(as_bytes(text.substr(begin, end + end_line.size() - begin)),
                                  path);
    ++seen;
  }
  EXPECT_GT(seen, 40U);
}

TEST_F(RealVectors, RaTlsCertificatesParse) {
  std::size_t seen = 0;
  for (const fs::path& path : files("cert.der")) {
    const auto certificate = parse_certificate(read_vector(path), Code::certificate_malformed);
    ASSERT_TRUE(certificate) << path << ": " << certificate.error().where() << " "
                             << certificate.error().detail();
    EXPECT_EQ(fields_of(*certificate), fields_by_openssl(certificate->der)) << path;
    ++seen;
  }
  EXPECT_GT(seen, 5U);
}

TEST_F(RealVectors, GramineCertificatesSignThemselves) {
  for (std::string_view name :
       {"sgx-gramine-konvera-rsa3072-outofdate", "sgx-gramine-konvera-ecdsa384-outofdate"}) {
    Certificate certificate =
        parse_certificate(read_vector(root_ / "real" / name / "cert.der"), Code::internal).value();
    EXPECT_TRUE(self_signature_valid(certificate)) << name;
    EXPECT_EQ(certificate.find(parse_hex("06092a864886f84d8a3906", 11, "oid").value()).size(), 1U);
    certificate.tbs.back() ^= 1;
    EXPECT_FALSE(self_signature_valid(certificate)) << name;
  }
}

TEST_F(RealVectors, CollateralParses) {
  std::size_t chains = 0;
  std::size_t lists = 0;
  for (const fs::path& path : files("collateral.json")) {
    const auto json = nlohmann::json::parse(as_text(read_vector(path)));
    for (const char* key : {"pck_crl_issuer_chain", "tcb_info_issuer_chain",
                            "qe_identity_issuer_chain", "pck_certificate_chain"}) {
      const std::string pem = testing::text_in(json, key);
      if (pem.empty()) continue;
      expect_chain_reads_as_openssl(as_bytes(pem), path.string() + " " + key);
      ++chains;
    }
    for (const char* key : {"root_ca_crl", "pck_crl"}) {
      const Bytes bytes = parse_hex(testing::text_in(json, key), kMaxCrlSize, key).value();
      const auto crl = parse_crl(bytes, key);
      EXPECT_TRUE(crl) << path << ": " << crl.error().where() << " " << crl.error().detail();
      ++lists;
    }
  }
  EXPECT_GT(chains, 100U);
  EXPECT_GT(lists, 80U);
}

// One chain and its list, looked at closely.
class IceLakeChain : public RealVectors {
 protected:
  void SetUp() override {
    RealVectors::SetUp();
    if (IsSkipped()) return;
    dir_ = root_ / "real/sgx-vault-auth-tee-swhard/intel";
    chain_ = chain(read_vector(dir_ / "pck_chain.pem"), dir_);
    ASSERT_EQ(chain_.size(), 3U);
  }
  fs::path dir_;
  std::vector<Certificate> chain_;
};

TEST_F(IceLakeChain, IsSigned) {
  EXPECT_EQ(chain_[0].subject_common_name, "Intel SGX PCK Certificate");
  EXPECT_EQ(chain_[1].subject_common_name, "Intel SGX PCK Platform CA");
  EXPECT_EQ(chain_[2].subject_common_name, "Intel SGX Root CA");
  const auto platform = p256_key(chain_[1], Code::internal).value();
  const auto root = p256_key(chain_[2], Code::internal).value();
  EXPECT_TRUE(signed_by(chain_[0], chain_[1], platform));
  EXPECT_TRUE(signed_by(chain_[1], chain_[2], root));
  EXPECT_TRUE(signed_by(chain_[2], chain_[2], root));
  EXPECT_TRUE(self_signature_valid(chain_[2]));
  EXPECT_FALSE(signed_by(chain_[0], chain_[2], root));
  EXPECT_FALSE(self_signature_valid(chain_[0]));
}

TEST_F(IceLakeChain, HasListsOfItsCas) {
  const Crl root_list = parse_crl(read_vector(dir_ / "root_ca_crl.pem"), "root").value();
  const Crl pck_list = parse_crl(read_vector(dir_ / "pck_crl.pem"), "pck").value();
  const auto platform = p256_key(chain_[1], Code::internal).value();
  const auto root = p256_key(chain_[2], Code::internal).value();
  EXPECT_TRUE(signed_by(root_list, chain_[2], root));
  EXPECT_TRUE(signed_by(pck_list, chain_[1], platform));
  EXPECT_FALSE(signed_by(pck_list, chain_[2], root));
  EXPECT_FALSE(root_list.revokes(chain_[1]));
  EXPECT_FALSE(pck_list.revokes(chain_[0]));
  EXPECT_TRUE(root_list.crl_number);
}

TEST_F(IceLakeChain, HasPckExtension) {
  const PckExtension extension = parse_pck_extension(chain_[0]).value();
  EXPECT_EQ(to_hex(extension.fmspc), "00606a000000");
  EXPECT_EQ(to_hex(extension.pce_id), "0000");
  EXPECT_EQ(extension.sgx_type, PckExtension::SgxType::scalable);
  EXPECT_TRUE(extension.platform_instance_id);
  EXPECT_NE(extension.pce_svn, 0);
  // The first 16 SVNs are the bytes of CPUSVN on the platforms so far.
  EXPECT_EQ(to_hex(extension.tcb_components), to_hex(extension.cpu_svn));
  EXPECT_EQ(parse_pck_extension(chain_[1]).error().code(), Code::pck_chain_malformed);
}

TEST_F(IceLakeChain, IsNotSignedAfterAFlip) {
  const auto platform = p256_key(chain_[1], Code::internal).value();
  const Bytes& der = chain_[0].der;
  for (std::size_t i = 0; i < der.size(); ++i) {
    Bytes flipped = der;
    flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ 1U << i % 8);
    const auto certificate = parse_certificate(flipped, Code::pck_chain_malformed);
    if (!certificate) continue;
    const auto extension = parse_pck_extension(*certificate);
    if (!extension) {
      EXPECT_EQ(extension.error().code(), Code::pck_chain_malformed);
    }
    EXPECT_FALSE(signed_by(*certificate, chain_[1], platform)) << i;
  }
}

TEST_F(RealVectors, EveryPckExtensionParses) {
  std::size_t seen = 0;
  for (const fs::path& path : files("pck_chain.pem")) {
    const auto certificates = chain(read_vector(path), path);
    ASSERT_FALSE(certificates.empty());
    const auto extension = parse_pck_extension(certificates[0]);
    EXPECT_TRUE(extension) << path << ": " << extension.error().where();
    ++seen;
  }
  EXPECT_GT(seen, 40U);
}

TEST_F(RealVectors, FifteenComponentsAreRefused) {
  const Bytes quote = read_vector(root_ / "synthetic/pck-ext-15-components/quote.bin");
  const std::string_view text = as_text(quote);
  const auto certificates =
      chain(as_bytes(text.substr(text.find("-----BEGIN CERTIFICATE"))), "synthetic");
  ASSERT_FALSE(certificates.empty());
  EXPECT_EQ(parse_pck_extension(certificates[0]).error().code(), Code::pck_chain_malformed);
}

}  // namespace
}  // namespace ratls::x509
