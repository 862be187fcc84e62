// SPDX-License-Identifier: Apache-2.0

// The ways from 64 bytes of public key to one checked P-256 signature in OpenSSL; the figures of
// docs/decisions/004-low-level-ec-key.md come from here.

#define OPENSSL_SUPPRESS_DEPRECATED
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "units_reporter.h"

namespace {

using EcKey = std::unique_ptr<EC_KEY, decltype(&EC_KEY_free)>;
using Pkey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr std::array<unsigned char, 32> kDigest{1, 2, 3};

// One key in the forms it can arrive in, and its signature over kDigest.
struct Signed {
  Pkey key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::vector<unsigned char> point = std::vector<unsigned char>(65);
  std::vector<unsigned char> spki;
  std::vector<unsigned char> signature = std::vector<unsigned char>(80);

  Signed() {
    std::size_t size = point.size();
    EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), size, &size);
    spki.resize(static_cast<std::size_t>(i2d_PUBKEY(key.get(), nullptr)));
    unsigned char* out = spki.data();
    i2d_PUBKEY(key.get(), &out);
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key.get(), nullptr);
    size = signature.size();
    EVP_PKEY_sign_init(context);
    EVP_PKEY_sign(context, signature.data(), &size, kDigest.data(), kDigest.size());
    signature.resize(size);
    EVP_PKEY_CTX_free(context);
  }
};

const Signed& sample() {
  static const Signed value;
  return value;
}

void must(bool holds) {
  if (!holds) std::abort();
}

void verify_evp(EVP_PKEY* key) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
  EVP_PKEY_verify_init(context);
  must(EVP_PKEY_verify(context, sample().signature.data(), sample().signature.size(),
                       kDigest.data(), kDigest.size()) == 1);
  EVP_PKEY_CTX_free(context);
}

void verify_low_level(const EC_GROUP* group) {
  const EcKey key(EC_KEY_new(), EC_KEY_free);
  EC_KEY_set_group(key.get(), group);
  must(EC_KEY_oct2key(key.get(), sample().point.data(), sample().point.size(), nullptr) == 1);
  must(ECDSA_verify(0, kDigest.data(), kDigest.size(), sample().signature.data(),
                    static_cast<int>(sample().signature.size()), key.get()) == 1);
}

void KeyKept(benchmark::State& state) {
  for (auto _ : state) verify_evp(sample().key.get());
}

void EcKeyOnSharedGroup(benchmark::State& state) {
  EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  for (auto _ : state) verify_low_level(group);
  EC_GROUP_free(group);
}

void EcKeyOnNewGroup(benchmark::State& state) {
  for (auto _ : state) {
    EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    verify_low_level(group);
    EC_GROUP_free(group);
  }
}

void PkeyFromParameters(benchmark::State& state) {
  std::array<char, 6> curve{"P-256"};
  std::vector<unsigned char> point = sample().point;
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  for (auto _ : state) {
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context);
    auto* writable = const_cast<OSSL_PARAM*>(parameters.data());
    must(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, writable) == 1);
    verify_evp(key);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
  }
}

void PkeyFromDer(benchmark::State& state) {
  for (auto _ : state) {
    const unsigned char* in = sample().spki.data();
    const Pkey key(d2i_PUBKEY(nullptr, &in, static_cast<long>(sample().spki.size())),
                   EVP_PKEY_free);
    must(key != nullptr);
    verify_evp(key.get());
  }
}

BENCHMARK(KeyKept);
BENCHMARK(EcKeyOnSharedGroup);
BENCHMARK(EcKeyOnNewGroup);
BENCHMARK(PkeyFromParameters);
BENCHMARK(PkeyFromDer);

}  // namespace

int main(int count, char** arguments) {
  return ratls::bench::run_in_units(count, arguments, "KeyKept");
}
