// SPDX-License-Identifier: Apache-2.0

// What a verdict costs, in units of one P-256 verification of OpenSSL with a key that is kept.

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/reader.h"
#include "crypto/crypto.h"
#include "material.h"
#include "units_reporter.h"
#include "x509/certificate.h"

namespace ratls::bench {
namespace {

using benchmark::RegisterBenchmark;
using benchmark::State;

constexpr const char* kUnit = "p256_verify_openssl";

/// SignedDigest is one key with its signature over 32 bytes, in OpenSSL's form and in ours.
struct SignedDigest {
  crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
  crypto::Sha256 digest = crypto::sha256(as_bytes("measured"));
  Bytes der_signature = Bytes(80);
  Bytes message = Bytes(432);  // header and report of a quote
  Bytes raw_signature = key.sign_raw(message).value();
  Bytes point = key.public_point().value();

  SignedDigest() {
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key.native(), nullptr);
    std::size_t size = der_signature.size();
    must(EVP_PKEY_sign_init(context) == 1 &&
             EVP_PKEY_sign(context, der_signature.data(), &size, digest.bytes.data(), 32) == 1,
         "OpenSSL does not sign");
    der_signature.resize(size);
    EVP_PKEY_CTX_free(context);
  }
};

const SignedDigest& signed_digest() {
  static const SignedDigest value;
  return value;
}

void verify_with_openssl(State& state) {
  const SignedDigest& given = signed_digest();
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(given.key.native(), nullptr);
  must(EVP_PKEY_verify_init(context) == 1, "OpenSSL does not verify");
  for (auto _ : state) {
    must(EVP_PKEY_verify(context, given.der_signature.data(), given.der_signature.size(),
                         given.digest.bytes.data(), given.digest.bytes.size()) == 1,
         "OpenSSL does not verify");
  }
  EVP_PKEY_CTX_free(context);
}

// From the 64 bytes of the point, as a quote brings it.
void verify_with_ours(State& state) {
  const SignedDigest& given = signed_digest();
  for (auto _ : state) {
    const auto key = crypto::P256PublicKey::from_point(given.point);
    must(key.value().verify(given.message, given.raw_signature), "the signature is refused");
  }
}

std::shared_ptr<const PreparedCollateral> prepare(const Material& material, const TrustRoot& root) {
  return PreparedCollateral::prepare(parse_collateral(material.collateral).value(), root, "file");
}

// The collateral was prepared before, the quote and its platform were never seen.
void verify_quote_prepared(State& state, const Material& material) {
  GivenCollateral source(prepare(material, Verifier::create(material.policy).value().root()));
  for (auto _ : state) {
    state.PauseTiming();
    const Verifier verifier = Verifier::create(material.policy).value();
    state.ResumeTiming();
    const Verdict verdict = verifier.verify_quote(material.quote, source, material.now);
    must(verdict.accepted(), "the quote is refused");
  }
}

// One verifier and quotes in turn, more than it remembers, but of a platform that it knows.
void verify_in_turn(State& state, const Material& material, const std::vector<Bytes>& quotes) {
  const Verifier verifier = Verifier::create(material.policy).value();
  GivenCollateral source(prepare(material, verifier.root()));
  must(verifier.verify_quote(material.quote, source, material.now).accepted(), "refused");
  std::size_t turn = 0;
  for (auto _ : state) {
    const Bytes& quote = quotes[turn++ % quotes.size()];
    const Verdict verdict = verifier.verify_quote(quote, source, material.now);
    must(verdict.accepted(), "the quote is refused");
  }
}

void verify_quote_by_new_key(State& state, const Material& material) {
  verify_in_turn(state, material, material.quotes_by_keys);
}

void verify_quote_by_known_key(State& state, const Material& material) {
  verify_in_turn(state, material, material.more_quotes);
}

void verify_quote_from_bytes(State& state, const Material& material) {
  for (auto _ : state) {
    // A verifier of its own for each quote, so that nothing is known from the one before.
    state.PauseTiming();
    const Verifier verifier = Verifier::create(material.policy).value();
    state.ResumeTiming();
    GivenCollateral source(prepare(material, verifier.root()));
    const Verdict verdict = verifier.verify_quote(material.quote, source, material.now);
    must(verdict.accepted(), "the quote is refused");
  }
}

void prepare_collateral(State& state, const Material& material) {
  const Verifier verifier = Verifier::create(material.policy).value();
  for (auto _ : state) benchmark::DoNotOptimize(prepare(material, verifier.root()));
}

void parse_collateral_text(State& state, const Material& material) {
  for (auto _ : state) {
    must(parse_collateral(material.collateral).has_value(), "the collateral is refused");
  }
}

void parse_quote_bytes(State& state, const Material& material) {
  for (auto _ : state) must(parse_quote(material.quote).has_value(), "the quote is malformed");
}

// One verifier and certificates in turn.
void verify_certificate(State& state, const Material& material, const std::vector<Bytes>& ders) {
  const Verifier verifier = Verifier::create(material.policy).value();
  GivenCollateral source(prepare(material, verifier.root()));
  const CertificateContext context{.proves = Proves::session, .host = "localhost"};
  std::size_t turn = 0;
  for (auto _ : state) {
    const Bytes& der = ders[turn++ % ders.size()];
    const Verdict verdict = verifier.verify_certificate(der, context, source, material.now);
    must(verdict.accepted(), "the certificate is refused");
  }
}

void parse_certificate_ours(State& state, const Bytes& der) {
  for (auto _ : state) {
    must(x509::parse_certificate(der, Code::certificate_malformed).has_value(), "refused");
  }
}

void parse_certificate_openssl(State& state, const Bytes& der) {
  for (auto _ : state) {
    const unsigned char* cursor = der.data();
    X509* certificate = d2i_X509(nullptr, &cursor, static_cast<long>(der.size()));
    must(certificate != nullptr, "OpenSSL refuses the certificate");
    X509_free(certificate);
  }
}

template <class... Given>
void add(const std::string& name, void (*run)(State&, const Given&...), const Given&... given) {
  RegisterBenchmark(name.c_str(), [run, given...](State& state) { run(state, given...); });
}

void add_quote_benchmarks(const Material& material) {
  const std::string of = ", " + material.name;
  add("verify_quote_prepared" + of, verify_quote_prepared, material);
  if (!material.more_quotes.empty()) {
    add("verify_quote_by_new_key" + of, verify_quote_by_new_key, material);
    add("verify_quote_by_known_key" + of, verify_quote_by_known_key, material);
  }
  add("verify_quote_from_bytes" + of, verify_quote_from_bytes, material);
  add("prepare_collateral" + of, prepare_collateral, material);
  add("parse_collateral" + of, parse_collateral_text, material);
  add("parse_quote" + of, parse_quote_bytes, material);
  const Quote quote = parse_quote(material.quote).value();
  const Bytes& chain = quote.signature.certification_data.body;
  const Bytes leaf =
      x509::split_pem(chain, "CERTIFICATE", 3, Code::pck_chain_malformed).value().front();
  add("parse_certificate PCK" + of, parse_certificate_ours, leaf);
  add("d2i_X509 PCK" + of, parse_certificate_openssl, leaf);
}

void add_benchmarks(const sim::World& world, const sim::World& td_world) {
  RegisterBenchmark(kUnit, verify_with_openssl);
  RegisterBenchmark("p256_verify_ours, key from its point", verify_with_ours);
  const Material simulated = simulated_material("SGX", world);
  add_quote_benchmarks(simulated);
  add_quote_benchmarks(simulated_material("TDX", td_world));
  std::vector<Bytes> certificates;
  const Attester attester = attester_of(world);
  while (certificates.size() < 100) {  // more than a verifier remembers
    certificates.push_back(attester.certify(simulated.now).value().certificate_der());
  }
  const std::vector<Bytes> one = {certificates.front()};
  add("verify_certificate, new of a known platform", verify_certificate, simulated, certificates);
  add("verify_certificate, again", verify_certificate, simulated, one);
  add("parse_certificate attested", parse_certificate_ours, one.front());
  add("d2i_X509 attested", parse_certificate_openssl, one.front());
  if (const auto recorded = recorded_material()) {
    add_quote_benchmarks(*recorded);
  } else {
    std::printf("skipped: a quote of Intel's hardware, which is not part of the repository\n");
  }
}

}  // namespace
}  // namespace ratls::bench

int main(int count, char** arguments) {
  using namespace ratls;
  const auto world = sim::build_world(sim::plan_world().value());
  sim::WorldBasics td_basics;
  td_basics.td = sim::default_td();
  const auto td_world = sim::build_world(sim::plan_world(td_basics).value());
  ratls::bench::add_benchmarks(world.value(), td_world.value());
  return ratls::bench::run_in_units(count, arguments, ratls::bench::kUnit);
}
