// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include <type_traits>

#include "crypto/openssl_objects.h"
#include "ratls/tls.h"
#include "support/attested_peer.h"
#include "tls/session_binding.h"

namespace ratls {
namespace {

using testing::Context;
using testing::Identity;
using testing::IdentityOptions;
using testing::make_identity;
using testing::make_platform;
using testing::make_server_context;
using testing::must;
using testing::Platform;

static_assert(!std::is_default_constructible_v<AttestedSession>);
static_assert(!std::is_constructible_v<AttestedSession, std::shared_ptr<const Verdict>>);

constexpr UnixTime kNow = sim::kWorldTime;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, FreeSsl>;

// Pair is a client and a server joined in memory.
struct Pair {
  Ssl client;
  Ssl server;

  Pair(SSL_CTX* client_context, SSL_CTX* server_context)
      : client(SSL_new(client_context)), server(SSL_new(server_context)) {
    BIO* near = nullptr;
    BIO* far = nullptr;
    BIO_new_bio_pair(&near, 0, &far, 0);
    SSL_set_bio(client.get(), near, near);
    SSL_set_bio(server.get(), far, far);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
  }

  // True when both sides say that the handshake is complete.
  bool shake() {
    for (int round = 0; round < 20; ++round) {
      const int near = SSL_do_handshake(client.get());
      const int far = SSL_do_handshake(server.get());
      if (near == 1 && far == 1) return true;
    }
    return false;
  }
  std::shared_ptr<const AttestedSession> session() const {
    return PeerVerifier::session_of(client.get());
  }
  std::shared_ptr<const Verdict> verdict() const { return PeerVerifier::verdict_of(client.get()); }
};

class PeerVerifierTest : public ::testing::Test {
 protected:
  PeerVerifier make_verifier(const Policy& policy) const {
    return PeerVerifier(must(Verifier::create(policy)), platform_.source, "localhost",
                        [] { return kNow; });
  }
  static Context make_context(const PeerVerifier& peer, VerdictListener listener = nullptr) {
    Context context(SSL_CTX_new(TLS_client_method()));
    must_install(peer, context, std::move(listener));
    return context;
  }
  static void must_install(const PeerVerifier& peer, const Context& context,
                           VerdictListener listener) {
    const auto installed = peer.install(context.get(), std::move(listener));
    ASSERT_TRUE(installed);
  }

  const Platform platform_ = make_platform(kNow);
  const Identity identity_ = make_identity(platform_, kNow);
  const Context server_ = make_server_context(identity_);
  const PeerVerifier peer_ = make_verifier(platform_.policy);
  const Context client_ = make_context(peer_);
};

TEST_F(PeerVerifierTest, AcceptsAnAttestedServer) {
  Pair pair(client_.get(), server_.get());
  ASSERT_TRUE(pair.shake());
  ASSERT_NE(pair.verdict(), nullptr);
  EXPECT_TRUE(pair.verdict()->accepted());
  ASSERT_NE(pair.session(), nullptr);
  EXPECT_EQ(pair.session()->peer().enclave()->mr_enclave,
            platform_.world.quote_spec.report.mr_enclave);
  EXPECT_EQ(pair.session()->peer().report().proves, Proves::session);
  EXPECT_EQ(SSL_get_verify_result(pair.client.get()), X509_V_OK);
}

TEST_F(PeerVerifierTest, RefusesAServerWithoutEvidence) {
  IdentityOptions options;
  options.not_before = kNow - std::chrono::hours(1);
  options.not_after = kNow + std::chrono::hours(1);
  options.evidence = IdentityOptions::Evidence::none;
  const Context plain = make_server_context(make_identity(platform_, options));
  Pair pair(client_.get(), plain.get());
  EXPECT_FALSE(pair.shake());
  ASSERT_NE(pair.verdict(), nullptr);
  ASSERT_FALSE(pair.verdict()->accepted());
  EXPECT_EQ(pair.verdict()->result.error().code(), Code::evidence_missing);
  EXPECT_EQ(pair.session(), nullptr);
  EXPECT_EQ(SSL_get_verify_result(pair.client.get()), X509_V_ERR_APPLICATION_VERIFICATION);
}

TEST_F(PeerVerifierTest, RefusesAnExpiredCertificate) {
  IdentityOptions options;
  options.not_before = kNow - std::chrono::hours(2);
  options.not_after = kNow - std::chrono::hours(1);
  const Context expired = make_server_context(make_identity(platform_, options));
  Pair pair(client_.get(), expired.get());
  EXPECT_FALSE(pair.shake());
  ASSERT_NE(pair.verdict(), nullptr);
  EXPECT_EQ(pair.verdict()->result.error().code(), Code::certificate_expired);
}

/// FreshSessionTest has a policy that demands fresh evidence.
class FreshSessionTest : public PeerVerifierTest {
 protected:
  static Policy demanding(Policy policy) {
    policy.session.fresh = true;
    return policy;
  }

  // What an honest server answers on its end of a connection.
  Bytes answer_on(SSL* server, const SessionChallenge& challenge) const {
    const auto nonce = parse_fixed_hex<SessionNonce>(challenge.query().substr(7), "nonce");
    const auto attester = must(Attester::create(
        [this](const ReportData& data) { return platform_.world.quote(data); }, {}));
    return must(attester.attest_session(tls::bind_session(server, *nonce).value()));
  }

  static Context make_asking_context(const PeerVerifier& peer) {
    Context context(SSL_CTX_new(TLS_client_method()));
    EXPECT_TRUE(peer.install(context.get(), nullptr, AsksForSession::yes));
    return context;
  }

  const PeerVerifier fresh_ = make_verifier(demanding(platform_.policy));
  const Context fresh_client_ = make_asking_context(fresh_);
};

TEST_F(FreshSessionTest, FailsInTheHandshakeWhereNobodyAsks) {
  const Context unaware = make_context(fresh_);
  Pair pair(unaware.get(), server_.get());
  EXPECT_FALSE(pair.shake());
  ASSERT_FALSE(pair.verdict()->accepted());
  EXPECT_EQ(pair.verdict()->result.error().code(), Code::evidence_not_fresh);
}

TEST_F(FreshSessionTest, CountsAfterItsEvidence) {
  Pair pair(fresh_client_.get(), server_.get());
  ASSERT_TRUE(pair.shake());
  EXPECT_TRUE(pair.verdict()->accepted());
  EXPECT_EQ(pair.session(), nullptr);
  auto challenge = must(SessionChallenge::create());
  ASSERT_TRUE(challenge.bind(pair.client.get()));
  EXPECT_EQ(PeerVerifier::session_of(challenge), nullptr);
  const auto verdict = fresh_.judge_session(challenge, answer_on(pair.server.get(), challenge));
  ASSERT_TRUE(verdict->accepted()) << verdict->result.error().message();
  EXPECT_TRUE(verdict->report.fresh);
  ASSERT_NE(pair.session(), nullptr);
  EXPECT_TRUE(pair.session()->peer().report().fresh);
  EXPECT_NE(PeerVerifier::session_of(challenge), nullptr);
}

// A relay: the connection to the client is the thief's, who holds the key, the evidence is made by
// the enclave for the thief's own connection to it.
TEST_F(FreshSessionTest, TakesNoEvidenceOfAnotherConnection) {
  Pair victim(fresh_client_.get(), server_.get());
  Pair thief(client_.get(), server_.get());
  ASSERT_TRUE(victim.shake() && thief.shake());
  auto challenge = must(SessionChallenge::create());
  ASSERT_TRUE(challenge.bind(victim.client.get()));
  const auto verdict = fresh_.judge_session(challenge, answer_on(thief.server.get(), challenge));
  ASSERT_FALSE(verdict->accepted());
  EXPECT_EQ(verdict->result.error().code(), Code::evidence_not_fresh);
  EXPECT_EQ(victim.session(), nullptr);
  EXPECT_EQ(PeerVerifier::session_of(challenge), nullptr);
}

TEST_F(FreshSessionTest, TakesNoAnswerToAnotherChallenge) {
  Pair pair(fresh_client_.get(), server_.get());
  ASSERT_TRUE(pair.shake());
  const auto earlier = must(SessionChallenge::create());
  auto challenge = must(SessionChallenge::create());
  EXPECT_NE(earlier.query(), challenge.query());
  ASSERT_TRUE(challenge.bind(pair.client.get()));
  const auto verdict = fresh_.judge_session(challenge, answer_on(pair.server.get(), earlier));
  EXPECT_FALSE(verdict->accepted());
  EXPECT_EQ(pair.session(), nullptr);
}

TEST_F(FreshSessionTest, ARefusalTakesTheSessionBack) {
  Pair pair(fresh_client_.get(), server_.get());
  ASSERT_TRUE(pair.shake());
  auto challenge = must(SessionChallenge::create());
  ASSERT_TRUE(challenge.bind(pair.client.get()));
  const Bytes answer = answer_on(pair.server.get(), challenge);
  ASSERT_TRUE(fresh_.judge_session(challenge, answer)->accepted());
  EXPECT_FALSE(fresh_.refuse_session(challenge, "none")->accepted());
  EXPECT_FALSE(pair.verdict()->accepted());
  EXPECT_EQ(pair.session(), nullptr);
}

TEST_F(FreshSessionTest, BindsToAcceptedConnectionsOfTls13Only) {
  auto challenge = must(SessionChallenge::create());
  Pair unmet(fresh_client_.get(), server_.get());
  EXPECT_FALSE(challenge.bind(unmet.client.get())) << "before its handshake";
  EXPECT_FALSE(challenge.bind(nullptr));
  EXPECT_FALSE(fresh_.judge_session(challenge, {})->accepted());

  const Context old_server = make_server_context(identity_);
  SSL_CTX_set_max_proto_version(old_server.get(), TLS1_2_VERSION);
  Pair old(fresh_client_.get(), old_server.get());
  ASSERT_TRUE(old.shake());
  const auto bound = challenge.bind(old.client.get());
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code(), Code::evidence_not_fresh);
  EXPECT_FALSE(fresh_.judge_session(challenge, {})->accepted());
  EXPECT_EQ(old.session(), nullptr);
  EXPECT_FALSE(tls::bind_session(old.server.get(), {}));
}

// The public point of one key with the private number of another.
crypto::PkeyPtr mismatched_key(const crypto::PrivateKey& shown, const crypto::PrivateKey& held) {
  EVP_PKEY* made = nullptr;
  OSSL_PARAM* public_half = nullptr;
  OSSL_PARAM* key_pair = nullptr;
  EVP_PKEY_todata(shown.native(), EVP_PKEY_PUBLIC_KEY, &public_half);
  EVP_PKEY_todata(held.native(), EVP_PKEY_KEYPAIR, &key_pair);
  BIGNUM* number = nullptr;
  OSSL_PARAM_get_BN(OSSL_PARAM_locate(key_pair, OSSL_PKEY_PARAM_PRIV_KEY), &number);
  std::array<unsigned char, 32> native_order{};
  BN_bn2nativepad(number, native_order.data(), 32);
  const std::array<OSSL_PARAM, 2> private_half = {
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native_order.data(), 32),
      OSSL_PARAM_construct_end()};
  OSSL_PARAM* joined = OSSL_PARAM_merge(public_half, private_half.data());
  const crypto::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, joined);
  OSSL_PARAM_free(joined);
  OSSL_PARAM_free(public_half);
  OSSL_PARAM_free(key_pair);
  BN_clear_free(number);
  return crypto::PkeyPtr(made);
}

TEST_F(PeerVerifierTest, GivesNoSessionToAServerWithoutTheKey) {
  const auto other = must(crypto::PrivateKey::generate(crypto::KeyType::p256));
  const auto key = mismatched_key(identity_.key, other);
  ASSERT_NE(key, nullptr);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Context thief = make_server_context(identity_.certificate, key.get());
    SSL_CTX_set_max_proto_version(thief.get(), version);
    Pair pair(client_.get(), thief.get());
    EXPECT_FALSE(pair.shake());
    ASSERT_NE(pair.verdict(), nullptr);
    EXPECT_TRUE(pair.verdict()->accepted());  // the certificate is good, its holder is not
    EXPECT_EQ(pair.session(), nullptr);
  }
}

TEST_F(PeerVerifierTest, GivesNoSessionBeforeTheHandshakeIsComplete) {
  Context tls12 = make_server_context(identity_);
  SSL_CTX_set_max_proto_version(tls12.get(), TLS1_2_VERSION);
  Pair pair(client_.get(), tls12.get());
  SSL_do_handshake(pair.client.get());
  SSL_do_handshake(pair.server.get());
  EXPECT_EQ(SSL_do_handshake(pair.client.get()), -1);
  ASSERT_NE(pair.verdict(), nullptr);
  EXPECT_TRUE(pair.verdict()->accepted());
  EXPECT_EQ(pair.session(), nullptr);
  ASSERT_TRUE(pair.shake());
  EXPECT_NE(pair.session(), nullptr);
}

TEST_F(PeerVerifierTest, KeepsVerdictsPerConnection) {
  IdentityOptions options;
  options.not_before = kNow - std::chrono::hours(1);
  options.not_after = kNow + std::chrono::hours(1);
  options.evidence = IdentityOptions::Evidence::none;
  const Context plain = make_server_context(make_identity(platform_, options));
  Pair good(client_.get(), server_.get());
  Pair bad(client_.get(), plain.get());
  EXPECT_FALSE(bad.shake());
  EXPECT_TRUE(good.shake());
  EXPECT_EQ(bad.session(), nullptr);
  EXPECT_NE(good.session(), nullptr);
  EXPECT_FALSE(bad.verdict()->accepted());
  EXPECT_TRUE(good.verdict()->accepted());
}

TEST_F(PeerVerifierTest, JudgesByThePolicyOfTheContext) {
  Policy other = platform_.policy;
  other.enclaves.front().mr_enclave->bytes[0] ^= 1;
  const Context strict = make_context(make_verifier(other));
  Pair accepted(client_.get(), server_.get());
  Pair refused(strict.get(), server_.get());
  EXPECT_TRUE(accepted.shake());
  EXPECT_FALSE(refused.shake());
  ASSERT_NE(refused.verdict(), nullptr);
  EXPECT_EQ(refused.verdict()->result.error().code(), Code::identity_mismatch);
}

TEST_F(PeerVerifierTest, JudgesEveryHandshakeAndResumesNone) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Context server = make_server_context(identity_);
    SSL_CTX_set_max_proto_version(server.get(), version);
    SSL_CTX_set_session_cache_mode(server.get(), SSL_SESS_CACHE_SERVER);
    Pair first(client_.get(), server.get());
    ASSERT_TRUE(first.shake());
    std::array<char, 1> nothing{};
    SSL_write(first.server.get(), "x", 1);
    SSL_read(first.client.get(), nothing.data(), 1);  // takes the tickets in, if there were any
    const int asked = platform_.source->asked();
    Pair second(client_.get(), server.get());
    SSL_SESSION* kept = SSL_get1_session(first.client.get());
    SSL_set_session(second.client.get(), kept);
    SSL_SESSION_free(kept);
    ASSERT_TRUE(second.shake());
    if (SSL_session_reused(second.client.get()) != 0) {
      EXPECT_EQ(second.session(), nullptr);
    } else {
      EXPECT_EQ(platform_.source->asked(), asked + 1);
    }
  }
}

TEST_F(PeerVerifierTest, DuplicatedConnectionHasNoVerdict) {
  Pair pair(client_.get(), server_.get());
  ASSERT_TRUE(pair.shake());
  ASSERT_EQ(SSL_clear(pair.client.get()), 1);  // SSL_dup shares an object that is connected
  EXPECT_EQ(pair.session(), nullptr);
  const Ssl copy(SSL_dup(pair.client.get()));
  ASSERT_NE(copy, nullptr);
  ASSERT_NE(copy, pair.client);
  EXPECT_EQ(PeerVerifier::verdict_of(copy.get()), nullptr);
}

TEST_F(PeerVerifierTest, KnowsNothingOfOtherConnections) {
  EXPECT_EQ(PeerVerifier::session_of(nullptr), nullptr);
  Pair pair(client_.get(), server_.get());
  EXPECT_EQ(pair.verdict(), nullptr);
  EXPECT_EQ(pair.session(), nullptr);
  const Context plain(SSL_CTX_new(TLS_client_method()));
  Pair unjudged(plain.get(), server_.get());
  ASSERT_TRUE(unjudged.shake());
  EXPECT_EQ(PeerVerifier::session_of(unjudged.client.get()), nullptr);
  EXPECT_EQ(PeerVerifier::session_of(unjudged.server.get()), nullptr);
}

TEST_F(PeerVerifierTest, RefusesOldProtocolsAndWeakCiphers) {
  Context old = make_server_context(identity_);
  SSL_CTX_set_security_level(old.get(), 0);
  SSL_CTX_set_min_proto_version(old.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
  EXPECT_FALSE(Pair(client_.get(), old.get()).shake());
  Context cbc = make_server_context(identity_);
  SSL_CTX_set_max_proto_version(cbc.get(), TLS1_2_VERSION);
  ASSERT_EQ(SSL_CTX_set_cipher_list(cbc.get(), "ECDHE-ECDSA-AES256-SHA384"), 1);
  EXPECT_FALSE(Pair(client_.get(), cbc.get()).shake());
}

TEST_F(PeerVerifierTest, OffersAes128First) {
  Pair pair(client_.get(), server_.get());
  ASSERT_TRUE(pair.shake());
  EXPECT_STREQ(SSL_get_cipher_name(pair.client.get()), "TLS_AES_128_GCM_SHA256");
}

TEST_F(PeerVerifierTest, OverridesWhatWouldWeakenTheContext) {
  Context context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_set_keylog_callback(context.get(), [](const SSL*, const char*) {});
  must_install(peer_, context, nullptr);
  EXPECT_EQ(SSL_CTX_get_verify_mode(context.get()), SSL_VERIFY_PEER);
  EXPECT_EQ(SSL_CTX_get_options(context.get()) & SSL_OP_IGNORE_UNEXPECTED_EOF, 0U);
  EXPECT_EQ(SSL_CTX_get_session_cache_mode(context.get()), SSL_SESS_CACHE_OFF);
  EXPECT_EQ(SSL_CTX_get_keylog_callback(context.get()), nullptr);
}

TEST_F(PeerVerifierTest, RefusesASecondVerifierOrNoContext) {
  EXPECT_EQ(peer_.install(client_.get()).error().code(), Code::internal);
  EXPECT_EQ(peer_.install(nullptr).error().code(), Code::internal);
  const PeerVerifier without_source(must(Verifier::create(platform_.policy)), nullptr, "localhost");
  const Context context(SSL_CTX_new(TLS_client_method()));
  EXPECT_EQ(without_source.install(context.get()).error().code(), Code::internal);
}

TEST_F(PeerVerifierTest, TellsTheListener) {
  std::shared_ptr<const Verdict> heard;
  const Context context = make_context(peer_, [&](const auto& verdict) { heard = verdict; });
  Pair pair(context.get(), server_.get());
  ASSERT_TRUE(pair.shake());
  EXPECT_EQ(heard, pair.verdict());
}

TEST_F(PeerVerifierTest, RefusesWhenAnExceptionIsThrown) {
  const Context context = make_context(peer_, [](const auto&) { throw std::runtime_error("x"); });
  Pair pair(context.get(), server_.get());
  EXPECT_FALSE(pair.shake());
  EXPECT_EQ(pair.session(), nullptr);
}

TEST_F(PeerVerifierTest, ContextOutlivesTheVerifier) {
  Context context;
  {
    const PeerVerifier gone = make_verifier(platform_.policy);
    context = make_context(gone);
  }
  Pair pair(context.get(), server_.get());
  EXPECT_TRUE(pair.shake());
  EXPECT_NE(pair.session(), nullptr);
}

TEST_F(PeerVerifierTest, ChecksTheNameThatWasAskedFor) {
  Policy policy = platform_.policy;
  policy.session.check_name = true;
  const PeerVerifier right(must(Verifier::create(policy)), platform_.source, "localhost",
                           [] { return kNow; });
  const PeerVerifier wrong(must(Verifier::create(policy)), platform_.source, "other.example",
                           [] { return kNow; });
  EXPECT_TRUE(Pair(make_context(right).get(), server_.get()).shake());
  Pair refused(make_context(wrong).get(), server_.get());
  EXPECT_FALSE(refused.shake());
  ASSERT_NE(refused.verdict(), nullptr);
  EXPECT_EQ(refused.verdict()->result.error().code(), Code::name_mismatch);
}

}  // namespace
}  // namespace ratls
