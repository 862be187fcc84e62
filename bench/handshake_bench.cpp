// SPDX-License-Identifier: Apache-2.0

// What attestation adds to a TLS 1.3 handshake: processor time of each side, in memory, without a
// network. All variants use the server's and the client's own TLS settings.

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <functional>
#include <utility>
#include <vector>

#include "base/reader.h"
#include "material.h"
#include "ratls/tls.h"
#include "x509/builder.h"

namespace ratls::bench {
namespace {

constexpr int kRounds = 25;
constexpr int kHandshakesPerRound = 40;
constexpr std::size_t kManyServers = 100;  // more than a verifier remembers

template <auto function>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    function(object);
  }
};
using Connection = std::unique_ptr<SSL, FreeBy<&SSL_free>>;
using Context = std::unique_ptr<SSL_CTX, FreeBy<&SSL_CTX_free>>;
using Certificate = std::unique_ptr<X509, FreeBy<&X509_free>>;

double thread_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Cost is processor time in microseconds.
struct Cost {
  double server = 0;
  double client = 0;
};

/// PlainCertificate is one of an ordinary server, which a CA has signed.
struct PlainCertificate {
  Certificate certificate;
  crypto::PrivateKey key;
  std::size_t size;  ///< of its DER
};

/// Variant is one kind of certificate and one kind of client.
struct Variant {
  const char* name;
  std::function<Connection(std::size_t turn)> server;  ///< each turn to the next server
  SSL_CTX* client;
  std::size_t certificate_size;
  std::vector<Cost> rounds = {};        ///< means of their handshakes
  std::vector<double> handshakes = {};  ///< of both sides, each
};

int step(SSL* connection, double& cost) {
  const double start = thread_microseconds();
  const int done = SSL_do_handshake(connection);
  cost += thread_microseconds() - start;
  return done;
}

Cost shake_hands(const Variant& variant, std::size_t turn) {
  Cost cost;
  const Connection server = variant.server(turn);
  const Connection client(SSL_new(variant.client));
  SSL_set_connect_state(client.get());
  BIO* near = nullptr;
  BIO* far = nullptr;
  must(BIO_new_bio_pair(&near, 64 * 1024, &far, 64 * 1024) == 1, "no memory");
  SSL_set_bio(client.get(), near, near);
  SSL_set_bio(server.get(), far, far);
  bool complete = false;
  for (int flight = 0; !complete && flight < 10; ++flight) {
    const int client_done = step(client.get(), cost.client);
    complete = step(server.get(), cost.server) == 1 && client_done == 1;
  }
  must(complete && SSL_version(client.get()) == TLS1_3_VERSION, "the handshake fails");
  return cost;
}

void warm_up(const Variant& variant) {
  for (int i = 0; i < kHandshakesPerRound; ++i) shake_hands(variant, static_cast<std::size_t>(i));
}

void run_round(Variant& variant, int round) {
  Cost mean;
  for (int i = 0; i < kHandshakesPerRound; ++i) {
    const Cost cost =
        shake_hands(variant, static_cast<std::size_t>(round * kHandshakesPerRound + i));
    mean.server += cost.server / kHandshakesPerRound;
    mean.client += cost.client / kHandshakesPerRound;
    variant.handshakes.push_back(cost.server + cost.client);
  }
  variant.rounds.push_back(mean);
}

int accept_any(X509_STORE_CTX*, void*) { return 1; }

/// client_context is set up by PeerVerifier, so that clients differ in the verdict alone.
Context client_context(const PeerVerifier& verifier) {
  Context context(SSL_CTX_new(TLS_client_method()));
  must(verifier.install(context.get()).has_value(), "the client's context is refused");
  return context;
}

Context accepting_context(const PeerVerifier& verifier) {
  Context context = client_context(verifier);
  SSL_CTX_set_cert_verify_callback(context.get(), accept_any, nullptr);
  return context;
}

Certificate decoded(const Bytes& der) {
  const unsigned char* cursor = der.data();
  return Certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
}

x509::CertificateSpec spec_of(const char* name, const crypto::PrivateKey& key) {
  x509::CertificateSpec spec;
  spec.serial = Bytes(16, 0x42);
  spec.subject = {{"CN", name}};
  spec.issuer = {{"CN", "Ordinary CA"}};
  spec.not_before = sim::kWorldTime;
  spec.not_after = sim::kWorldTime + std::chrono::hours(24);
  spec.subject_spki = key.spki_der().value();
  return spec;
}

/// OrdinaryCa issues certificates as attested ones, but without the evidence.
class OrdinaryCa {
 public:
  PlainCertificate issue() const {
    auto key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
    x509::CertificateSpec spec = spec_of("ratls", key);
    spec.extensions = {x509::basic_constraints(false, std::nullopt), x509::key_usage(1),
                       x509::server_auth(), x509::subject_alt_names({"localhost", "127.0.0.1"})};
    const Bytes der = x509::build_certificate(spec, key_).value();
    return {decoded(der), std::move(key), der.size()};
  }

  Certificate certificate() const {
    x509::CertificateSpec spec = spec_of("Ordinary CA", key_);
    spec.extensions = {x509::basic_constraints(true, 0), x509::key_usage(1U << 5)};
    return decoded(x509::build_certificate(spec, key_).value());
  }

 private:
  crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
};

/// A client that trusts this CA, by OpenSSL's verification of chains.
Context trusting_context(const PeerVerifier& verifier, const OrdinaryCa& ca) {
  Context context = client_context(verifier);
  SSL_CTX_set_cert_verify_callback(context.get(), nullptr, nullptr);
  must(X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.certificate().get()) == 1,
       "OpenSSL does not take the CA");
  X509_VERIFY_PARAM* const parameters = SSL_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, sim::kWorldTime.time_since_epoch().count());
  must(X509_VERIFY_PARAM_set1_host(parameters, "localhost", 0) == 1, "no memory");
  return context;
}

/// One verification with a kept key: the unit.
double verification_microseconds() {
  const auto key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  const std::array<unsigned char, 32> digest{1, 2, 3};
  std::array<unsigned char, 80> signature{};
  std::size_t size = signature.size();
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key.native(), nullptr);
  must(EVP_PKEY_sign_init(context) == 1 &&
           EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size()) == 1 &&
           EVP_PKEY_verify_init(context) == 1,
       "OpenSSL does not sign");
  const double start = thread_microseconds();
  for (int i = 0; i < kHandshakesPerRound; ++i) {
    must(EVP_PKEY_verify(context, signature.data(), size, digest.data(), digest.size()) == 1,
         "OpenSSL does not verify");
  }
  const double cost = (thread_microseconds() - start) / kHandshakesPerRound;
  EVP_PKEY_CTX_free(context);
  return cost;
}

double percentile(std::vector<double> values, std::size_t percent) {
  std::ranges::sort(values);
  return values[values.size() * percent / 100];
}

double median(std::vector<double> values) { return percentile(std::move(values), 50); }

Cost median_of(const std::vector<Cost>& rounds) {
  std::vector<double> server;
  std::vector<double> client;
  for (const Cost& round : rounds) {
    server.push_back(round.server);
    client.push_back(round.client);
  }
  return {median(server), median(client)};
}

void print(const char* title, const std::vector<Variant>& variants, double unit) {
  const Cost plain = median_of(variants.front().rounds);
  std::printf("%-46s %6s  %-17s %-17s %s\n", title, "bytes", "server units    x",
              "client units    x", "both x");
  for (const Variant& variant : variants) {
    const Cost cost = median_of(variant.rounds);
    std::printf("%-46s %6zu  %9.2f %6.2f  %9.2f %6.2f  %6.2f\n", variant.name,
                variant.certificate_size, cost.server / unit, cost.server / plain.server,
                cost.client / unit, cost.client / plain.client,
                (cost.server + cost.client) / (plain.server + plain.client));
  }
}

void print_percentiles(const std::vector<Variant>& variants, double unit) {
  std::printf("\n%-46s %6s  %-17s %s\n", "both sides of each handshake", "", "   p50 units    x",
              "   p99 units    x");
  for (const Variant& variant : variants) {
    std::printf("%-46s %6s", variant.name, "");
    for (const std::size_t percent : {50, 99}) {
      const double cost = percentile(variant.handshakes, percent);
      std::printf("  %9.2f %6.2f", cost / unit,
                  cost / percentile(variants.front().handshakes, percent));
    }
    std::printf("\n");
  }
  std::printf("1 unit: one P-256 verification by OpenSSL in this run; x: in times of \"%s\"\n\n",
              variants.front().name);
}

void run(const char* title, std::vector<Variant> variants) {
  std::vector<double> units;
  for (const Variant& variant : variants) warm_up(variant);
  for (int round = 1; round <= kRounds; ++round) {
    units.push_back(verification_microseconds());
    for (Variant& variant : variants) run_round(variant, round);
  }
  print(title, variants, median(units));
  print_percentiles(variants, median(units));
}

using Servers = std::vector<ServerTls>;

Servers servers_with(const AttestedCertificate& certificate) {
  Servers servers;
  servers.push_back(ServerTls::create(certificate).value());
  return servers;
}

auto attested(const Servers& servers) {
  return [&servers](std::size_t turn) {
    return Connection(servers[turn % servers.size()].new_connection());
  };
}

/// The same settings with plain certificates in the place of the attested ones.
auto plain(const Servers& servers, const std::vector<PlainCertificate>& certificates) {
  return [&](std::size_t turn) {
    Connection server(servers[turn % servers.size()].new_connection());
    const PlainCertificate& plain = certificates[turn % certificates.size()];
    must(SSL_use_certificate(server.get(), plain.certificate.get()) == 1 &&
             SSL_use_PrivateKey(server.get(), plain.key.native()) == 1,
         "OpenSSL does not take the plain certificate");
    return server;
  };
}

/// OpenSSL as it comes, but without tickets, which would be more work than ratls has.
Context server_by_default(const PlainCertificate& plain) {
  Context context(SSL_CTX_new(TLS_server_method()));
  must(SSL_CTX_set_num_tickets(context.get(), 0) == 1 &&
           SSL_CTX_use_certificate(context.get(), plain.certificate.get()) == 1 &&
           SSL_CTX_use_PrivateKey(context.get(), plain.key.native()) == 1,
       "OpenSSL does not take the plain certificate");
  return context;
}

Context client_by_default() {
  Context context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_cert_verify_callback(context.get(), accept_any, nullptr);
  return context;
}

auto by_default(const std::vector<Context>& servers) {
  return [&servers](std::size_t turn) {
    Connection server(SSL_new(servers[turn % servers.size()].get()));
    SSL_set_accept_state(server.get());
    return server;
  };
}

int measure() {
  const auto spec = sim::plan_world();
  const sim::World world = sim::build_world(spec.value()).value();
  const Material material = simulated_material("SGX", world);
  const Attester attester = attester_of(world);
  const AttestedCertificate certificate = attester.certify(material.now).value();
  CertificateOptions without_legacy;
  without_legacy.legacy_extension = false;
  const AttestedCertificate dice_only =
      attester_of(world, without_legacy).certify(material.now).value();
  const Servers one = servers_with(certificate);
  const Servers one_dice_only = servers_with(dice_only);
  const OrdinaryCa ca;
  std::vector<PlainCertificate> one_plain;
  one_plain.push_back(ca.issue());
  std::vector<Context> one_default;
  one_default.push_back(server_by_default(one_plain[0]));
  Servers many;
  std::vector<PlainCertificate> many_plain;
  std::vector<Context> many_default;
  while (many.size() < kManyServers) {
    many.push_back(ServerTls::create(attester.certify(material.now).value()).value());
    many_plain.push_back(ca.issue());
    many_default.push_back(server_by_default(many_plain.back()));
  }

  const Verifier verifier = Verifier::create(material.policy).value();
  const auto prepared = PreparedCollateral::prepare(parse_collateral(material.collateral).value(),
                                                    verifier.root(), "file");
  const PeerVerifier peer(verifier, std::make_shared<GivenCollateral>(prepared), "localhost",
                          [&material] { return material.now; });
  const Context accepting = accepting_context(peer);
  const Context verifying = client_context(peer);
  const Context trusting = trusting_context(peer, ca);
  const Context default_client = client_by_default();

  const std::size_t size = certificate.certificate_der().size();
  run("one server",
      {{"plain certificate, any accepted", plain(one, one_plain), accepting.get(),
        one_plain[0].size},
       {"the same by OpenSSL's default settings", by_default(one_default), default_client.get(),
        one_plain[0].size},
       {"attested certificate, any accepted", attested(one), accepting.get(), size},
       {"attested certificate, verified, met before", attested(one), verifying.get(), size},
       {"the same without Gramine's format", attested(one_dice_only), verifying.get(),
        dice_only.certificate_der().size()}});
  run("100 servers in turn",
      {{"plain certificate, any accepted", plain(many, many_plain), accepting.get(),
        many_plain[0].size},
       {"the same by OpenSSL's default settings", by_default(many_default), default_client.get(),
        many_plain[0].size},
       {"plain certificate, of a CA that is trusted", plain(many, many_plain), trusting.get(),
        many_plain[0].size},
       {"attested certificate, any accepted", attested(many), accepting.get(), size},
       {"attested certificate, verified, never met", attested(many), verifying.get(), size}});
  return 0;
}

}  // namespace
}  // namespace ratls::bench

int main() { return ratls::bench::measure(); }
