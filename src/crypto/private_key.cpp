// SPDX-License-Identifier: Apache-2.0
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <optional>

#include "crypto/crypto.h"
#include "crypto/openssl_objects.h"

namespace ratls::crypto {
namespace {

constexpr std::size_t kMaxKeyFile = 64 * 1024;
// RFC 5480 2: what comes before the coordinates of an uncompressed point.
constexpr std::string_view kP256Spki = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
constexpr std::string_view kP384Spki = "3076301006072a8648ce3d020106052b8104002203620004";

std::size_t coordinate_size(KeyType type) { return type == KeyType::p256 ? 32 : 48; }

Error failed(std::string_view what) {
  return Error(Code::internal, "private key", "OpenSSL fails: " + std::string(what));
}

Error unsupported(std::string_view why) {
  return Error(Code::key_unsupported, "private key", std::string(why));
}

// Without it OpenSSL would ask on the terminal for the password of an encrypted key.
int no_password(char*, int, int, void*) { return -1; }

std::optional<KeyType> type_of(EVP_PKEY* key) {
  std::array<char, 32> group{};
  if (EVP_PKEY_is_a(key, "EC") != 1 ||
      EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) {
    return std::nullopt;
  }
  const std::string_view name(group.data());
  if (name == SN_X9_62_prime256v1) return KeyType::p256;
  if (name == SN_secp384r1) return KeyType::p384;
  return std::nullopt;
}

// A file may ask for explicit curve parameters or a compressed point, but the certificate of the
// key has to be readable by everyone (RFC 5480 2.1.1: namedCurve only).
bool use_plain_encoding(EVP_PKEY* key) {
  return EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
                                        OSSL_PKEY_EC_ENCODING_GROUP) == 1 &&
         EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                        OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) == 1;
}

bool pair_matches(EVP_PKEY* key) {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_check(context.get()) == 1;
}

bool append_number(Bytes& out, const BIGNUM* number, std::size_t size) {
  if (number == nullptr) return false;
  const std::size_t before = out.size();
  out.resize(before + size);
  return BN_bn2binpad(number, out.data() + before, static_cast<int>(size)) ==
         static_cast<int>(size);
}

bool append_coordinate(Bytes& out, EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* number = nullptr;
  const bool found = EVP_PKEY_get_bn_param(key, name, &number) == 1;
  const BignumPtr owner(number);
  return found && append_number(out, number, size);
}

Result<Bytes> content_of(BIO* memory) {
  const char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  if (size <= 0 || data == nullptr) return failed("writing the key");
  return Bytes(data, data + size);
}

}  // namespace

void PrivateKey::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

Result<PrivateKey> PrivateKey::generate(KeyType type) {
  const ErrorMark mark;
  EVP_PKEY* key = EVP_EC_gen(type == KeyType::p256 ? "P-256" : "P-384");
  if (key == nullptr) return failed("generating the key");
  return PrivateKey(key, type);
}

Result<PrivateKey> PrivateKey::from_pem(BytesView pem) {
  if (pem.empty() || pem.size() > kMaxKeyFile) {
    return unsupported("a PEM file of 1 to 65536 bytes is needed");
  }
  const ErrorMark mark;
  EVP_PKEY* read = nullptr;
  // The decoders of EC keys only: most of the time goes into choosing among those of all kinds.
  const DecoderCtxPtr decoder(OSSL_DECODER_CTX_new_for_pkey(&read, "PEM", "PrivateKeyInfo", "EC",
                                                            EVP_PKEY_KEYPAIR, nullptr, nullptr));
  const unsigned char* position = pem.data();
  std::size_t size = pem.size();
  const bool found =
      decoder != nullptr &&
      OSSL_DECODER_CTX_set_pem_password_cb(decoder.get(), no_password, nullptr) == 1 &&
      OSSL_DECODER_from_data(decoder.get(), &position, &size) == 1;
  PkeyPtr key(read);
  if (!found || key == nullptr) return unsupported("no unencrypted EC key in PEM");
  const std::optional<KeyType> type = type_of(key.get());
  if (!type) return unsupported("only EC keys on P-256 and P-384 are supported");
  if (!pair_matches(key.get())) return unsupported("the public part is not that of the private");
  if (!use_plain_encoding(key.get())) return failed("choosing the encoding");
  return PrivateKey(key.release(), *type);
}

// OpenSSL's encoder gives the same bytes, and takes milliseconds the first time.
Result<Bytes> PrivateKey::spki_der() const {
  RATLS_TRY(const Bytes point, public_point());
  Bytes out = parse_hex(type_ == KeyType::p256 ? kP256Spki : kP384Spki, 64, "SPKI").value();
  out.insert(out.end(), point.begin(), point.end());
  return out;
}

Result<Bytes> PrivateKey::public_point() const {
  const ErrorMark mark;
  const std::size_t size = coordinate_size(type_);
  Bytes out;
  if (!append_coordinate(out, native(), OSSL_PKEY_PARAM_EC_PUB_X, size) ||
      !append_coordinate(out, native(), OSSL_PKEY_PARAM_EC_PUB_Y, size)) {
    return failed("reading the public point");
  }
  return out;
}

Result<Bytes> PrivateKey::sign_raw(BytesView message) const {
  const ErrorMark mark;
  const MdCtxPtr context(EVP_MD_CTX_new());
  std::array<std::uint8_t, 160> der{};
  std::size_t size = der.size();
  if (context == nullptr ||
      EVP_DigestSignInit_ex(context.get(), nullptr, "SHA2-256", nullptr, nullptr, native(),
                            nullptr) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &size, message.data(), message.size()) != 1) {
    return failed("signing");
  }
  const unsigned char* position = der.data();
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(size)));
  if (signature == nullptr) return failed("reading its own signature");
  Bytes out;
  if (!append_number(out, ECDSA_SIG_get0_r(signature.get()), coordinate_size(type_)) ||
      !append_number(out, ECDSA_SIG_get0_s(signature.get()), coordinate_size(type_))) {
    return failed("reading its own signature");
  }
  return out;
}

// A memory BIO clears its storage when it is freed, so only the returned copy is left to the
// caller.
Result<Bytes> PrivateKey::to_pem() const {
  const ErrorMark mark;
  const BioPtr output(BIO_new(BIO_s_mem()));
  if (output == nullptr || PEM_write_bio_PKCS8PrivateKey(output.get(), native(), nullptr, nullptr,
                                                         0, nullptr, nullptr) != 1) {
    return failed("writing the key");
  }
  return content_of(output.get());
}

Result<Bytes> PrivateKey::to_der() const {
  const ErrorMark mark;
  const BioPtr output(BIO_new(BIO_s_mem()));
  if (output == nullptr ||
      i2d_PKCS8PrivateKey_bio(output.get(), native(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("writing the key");
  }
  return content_of(output.get());
}

Result<Bytes> PrivateKey::to_sec1_der() const {
  const ErrorMark mark;
  const BioPtr output(BIO_new(BIO_s_mem()));
  if (output == nullptr || i2d_PrivateKey_bio(output.get(), native()) != 1) {
    return failed("writing the key");
  }
  return content_of(output.get());
}

}  // namespace ratls::crypto
