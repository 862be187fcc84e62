// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <initializer_list>

#include "crypto/openssl_objects.h"

namespace ratls::crypto {
namespace {

// EVP_sha256() and its like make every EVP_DigestInit search the providers again; a fetched digest
// does not. It is never freed, so that it outlives all other static objects.
const EVP_MD* sha256_digest() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  return digest;
}
const EVP_MD* sha384_digest() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  return digest;
}
const EVP_MD* sha512_digest() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  return digest;
}

// A digest that could not be computed has no value that a caller could use safely: an unset one
// would compare equal to another unset one. It happens only without memory or without providers.
void digest_into(const EVP_MD* digest, std::initializer_list<BytesView> parts,
                 std::span<std::uint8_t> out) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  if (digest == nullptr || context == nullptr ||
      EVP_DigestInit_ex2(context.get(), digest, nullptr) != 1) {
    std::abort();
  }
  for (BytesView part : parts) {
    if (EVP_DigestUpdate(context.get(), part.data(), part.size()) != 1) std::abort();
  }
  unsigned int size = 0;
  if (EVP_MD_get_size(digest) != static_cast<int>(out.size()) ||
      EVP_DigestFinal_ex(context.get(), out.data(), &size) != 1 || size != out.size()) {
    std::abort();
  }
}

const EVP_MD* digest_by_name(std::string_view name) {
  if (name == "SHA256") return sha256_digest();
  if (name == "SHA384") return sha384_digest();
  if (name == "SHA512") return sha512_digest();
  return nullptr;
}

// RSA operations grow with the cube of the modulus, and the modulus comes from a stranger.
constexpr int kMaxRsaBits = 8192;

bool key_allowed(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return EVP_PKEY_get_bits(key) <= kMaxRsaBits;
  if (EVP_PKEY_is_a(key, "EC") != 1) return false;
  // Explicit curve parameters could name any curve, also one made for the forgery (CVE-2020-0601).
  std::array<char, 32> encoding{};
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding.data(),
                                     encoding.size(), nullptr) != 1 ||
      std::string_view(encoding.data()) != OSSL_PKEY_EC_ENCODING_GROUP) {
    return false;
  }
  std::array<char, 32> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return false;
  const std::string_view name(group.data());
  return name == SN_X9_62_prime256v1 || name == SN_secp384r1;
}

}  // namespace

Sha256 sha256(BytesView part) {
  Sha256 out;
  digest_into(sha256_digest(), {part}, out.bytes);
  return out;
}

Sha256 sha256(BytesView first, BytesView second) {
  Sha256 out;
  digest_into(sha256_digest(), {first, second}, out.bytes);
  return out;
}

Bytes sha384(BytesView bytes) {
  Bytes out(48);
  digest_into(sha384_digest(), {bytes}, out);
  return out;
}

Bytes sha512(BytesView bytes) {
  Bytes out(64);
  digest_into(sha512_digest(), {bytes}, out);
  return out;
}

bool constant_time_equal(BytesView a, BytesView b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<void> fill_random(std::span<std::uint8_t> out) {
  const ErrorMark mark;
  if (RAND_priv_bytes_ex(nullptr, out.data(), out.size(), 0) != 1) {
    return Error(Code::internal, "random", "OpenSSL's generator gives no bytes");
  }
  return {};
}

bool verify_with_spki(BytesView spki_der, std::string_view digest, BytesView message,
                      BytesView signature) {
  const ErrorMark mark;
  const EVP_MD* md = digest_by_name(digest);
  // The limit keeps the size inside the long that d2i_PUBKEY takes.
  constexpr std::size_t kMaxSpki = 64 * 1024;
  if (md == nullptr || spki_der.empty() || spki_der.size() > kMaxSpki) return false;
  const unsigned char* position = spki_der.data();
  const PkeyPtr key(d2i_PUBKEY(nullptr, &position, static_cast<long>(spki_der.size())));
  if (key == nullptr || position != spki_der.data() + spki_der.size()) return false;
  if (!key_allowed(key.get())) return false;
  const MdCtxPtr context(EVP_MD_CTX_new());
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, md, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

void wipe(std::span<std::uint8_t> bytes) noexcept { OPENSSL_cleanse(bytes.data(), bytes.size()); }

}  // namespace ratls::crypto
