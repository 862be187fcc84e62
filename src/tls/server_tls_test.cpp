// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <memory>

#include "ratls/tls.h"
#include "support/fake_attester.h"

namespace ratls {
namespace {

using testing::fake_attester;

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Ssl = std::unique_ptr<SSL, Free>;

AttestedCertificate make_certificate(CertificateKey key = CertificateKey::p256) {
  CertificateOptions options;
  options.key = key;
  return fake_attester(options).certify(system_now()).value();
}

/// Pair is a client and a server joined in memory.
class Pair {
 public:
  explicit Pair(const ServerTls& tls) : server_(tls.new_connection()) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT);
    client_.reset(SSL_new(context_.get()));
    SSL_set_connect_state(client_.get());
    BIO* ours = nullptr;
    BIO* theirs = nullptr;
    BIO_new_bio_pair(&ours, 64 * 1024, &theirs, 64 * 1024);
    SSL_set_bio(client_.get(), ours, ours);
    SSL_set_bio(server_.get(), theirs, theirs);
  }
  ~Pair() { ERR_clear_error(); }

  bool shake_hands() {
    for (int round = 0; round < 10; ++round) {
      const int client = SSL_do_handshake(client_.get());
      const int server = SSL_do_handshake(server_.get());
      if (client == 1 && server == 1) return true;
    }
    return false;
  }
  SSL* client() const { return client_.get(); }
  SSL* server() const { return server_.get(); }

 private:
  std::unique_ptr<SSL_CTX, Free> context_;
  Ssl client_;
  Ssl server_;
};

Bytes peer_certificate(SSL* client) {
  const std::unique_ptr<X509, Free> certificate(SSL_get1_peer_certificate(client));
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

TEST(ServerTls, ShowsTheAttestedCertificate) {
  for (const auto key : {CertificateKey::p256, CertificateKey::p384}) {
    const AttestedCertificate certificate = make_certificate(key);
    const ServerTls tls = ServerTls::create(certificate).value();
    const Pair pair(tls);
    Pair connected(tls);
    ASSERT_TRUE(connected.shake_hands());
    EXPECT_EQ(SSL_version(connected.client()), TLS1_3_VERSION);
    EXPECT_EQ(peer_certificate(connected.client()), certificate.certificate_der());
  }
}

TEST(ServerTls, UsesAnotherCertificateAfterReplace) {
  const AttestedCertificate first = make_certificate();
  const AttestedCertificate second = make_certificate();
  ServerTls tls = ServerTls::create(first).value();
  Pair before(tls);
  ASSERT_TRUE(tls.replace(second).has_value());
  Pair after(tls);
  ASSERT_TRUE(before.shake_hands());
  ASSERT_TRUE(after.shake_hands());
  EXPECT_EQ(peer_certificate(before.client()), first.certificate_der());
  EXPECT_EQ(peer_certificate(after.client()), second.certificate_der());
}

TEST(ServerTls, RefusesTls12UnlessAllowed) {
  const AttestedCertificate certificate = make_certificate();
  const ServerTls strict = ServerTls::create(certificate).value();
  Pair refused(strict);
  SSL_set_max_proto_version(refused.client(), TLS1_2_VERSION);
  EXPECT_FALSE(refused.shake_hands());

  const ServerTls lenient = ServerTls::create(certificate, TlsVersion::tls12).value();
  Pair accepted(lenient);
  SSL_set_max_proto_version(accepted.client(), TLS1_2_VERSION);
  ASSERT_TRUE(accepted.shake_hands());
  EXPECT_EQ(SSL_version(accepted.client()), TLS1_2_VERSION);

  Pair old(lenient);
  SSL_set_min_proto_version(old.client(), TLS1_VERSION);
  SSL_set_max_proto_version(old.client(), TLS1_1_VERSION);
  SSL_set_security_level(old.client(), 0);
  EXPECT_FALSE(old.shake_hands());
}

TEST(ServerTls, TakesOnlyAeadCiphersInTls12) {
  const ServerTls tls = ServerTls::create(make_certificate(), TlsVersion::tls12).value();
  const auto connects_with = [&](const char* cipher) {
    Pair pair(tls);
    SSL_set_max_proto_version(pair.client(), TLS1_2_VERSION);
    EXPECT_EQ(SSL_set_cipher_list(pair.client(), cipher), 1) << cipher;
    return pair.shake_hands();
  };
  EXPECT_TRUE(connects_with("ECDHE-ECDSA-CHACHA20-POLY1305"));
  EXPECT_FALSE(connects_with("ECDHE-ECDSA-AES128-SHA256"));
  EXPECT_FALSE(connects_with("ECDHE-ECDSA-AES256-SHA"));
}

TEST(ServerTls, ChoosesAes128UnlessTheClientHasNoAes) {
  const ServerTls tls = ServerTls::create(make_certificate(), TlsVersion::tls12).value();
  const auto chosen = [&](const char* offered) -> std::string {
    Pair pair(tls);
    EXPECT_EQ(SSL_set_ciphersuites(pair.client(), offered), 1) << offered;
    return pair.shake_hands() ? SSL_get_cipher_name(pair.client()) : "none";
  };
  // RFC 8446 B.4
  EXPECT_EQ(chosen("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
            "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(chosen("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
            "TLS_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(chosen("TLS_AES_256_GCM_SHA384"), "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(chosen("TLS_AES_128_CCM_SHA256"), "none");
}

TEST(ServerTls, NegotiatesNoP384Share) {
  const ServerTls tls = ServerTls::create(make_certificate()).value();
  Pair pair(tls);
  ASSERT_EQ(SSL_set1_groups_list(pair.client(), "P-384:P-256"), 1);
  ASSERT_TRUE(pair.shake_hands());
  EXPECT_EQ(SSL_get_negotiated_group(pair.client()), NID_X9_62_prime256v1);
  Pair only(tls);
  ASSERT_EQ(SSL_set1_groups_list(only.client(), "P-384"), 1);
  EXPECT_FALSE(only.shake_hands());
}

TEST(ServerTls, SelectsHttp11OrEndsTheHandshake) {
  const ServerTls tls = ServerTls::create(make_certificate()).value();
  const auto chosen = [&](const std::string& offered) -> std::string {
    Pair pair(tls);
    SSL_set_alpn_protos(pair.client(), reinterpret_cast<const unsigned char*>(offered.data()),
                        static_cast<unsigned>(offered.size()));
    if (!pair.shake_hands()) return "refused";
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(pair.client(), &name, &size);
    return {name, name + size};
  };
  EXPECT_EQ(chosen("\x02h2\x08http/1.1"), "http/1.1");
  EXPECT_EQ(chosen("\x02h2"), "refused");
  EXPECT_EQ(chosen(""), "");
}

TEST(ServerTls, GivesNoTickets) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const ServerTls tls = ServerTls::create(make_certificate(), TlsVersion::tls12).value();
    Pair pair(tls);
    SSL_set_max_proto_version(pair.client(), version);
    ASSERT_TRUE(pair.shake_hands());
    ASSERT_EQ(SSL_write(pair.server(), "x", 1), 1);
    std::array<char, 8> buffer{};
    ASSERT_EQ(SSL_read(pair.client(), buffer.data(), buffer.size()), 1);
    EXPECT_EQ(SSL_SESSION_has_ticket(SSL_get_session(pair.client())), 0);
    EXPECT_EQ(SSL_SESSION_get_max_early_data(SSL_get_session(pair.client())), 0U);

    Pair again(tls);
    SSL_set_max_proto_version(again.client(), version);
    SSL_set_session(again.client(), SSL_get_session(pair.client()));
    ASSERT_TRUE(again.shake_hands());
    EXPECT_EQ(SSL_session_reused(again.client()), 0);
  }
}

TEST(ServerTls, RefusesRenegotiation) {
  const ServerTls tls = ServerTls::create(make_certificate(), TlsVersion::tls12).value();
  Pair pair(tls);
  SSL_set_max_proto_version(pair.client(), TLS1_2_VERSION);
  ASSERT_TRUE(pair.shake_hands());
  ASSERT_EQ(SSL_renegotiate(pair.client()), 1);
  SSL_do_handshake(pair.client());
  std::array<char, 8> buffer{};
  SSL_read(pair.server(), buffer.data(), buffer.size());
  EXPECT_NE(SSL_do_handshake(pair.client()), 1);
}

TEST(LastOpensslError, EmptiesTheQueue) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_SSL, SSL_R_UNEXPECTED_MESSAGE);
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  const std::string text = last_openssl_error();
  EXPECT_NE(text.find("; "), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(ERR_peek_error(), 0U);
  EXPECT_NE(last_openssl_error(), "");
}

}  // namespace
}  // namespace ratls
