// SPDX-License-Identifier: Apache-2.0

// Keys are read by EC_KEY, deprecated as it is (docs/decisions/004-low-level-ec-key.md).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
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

using EcKeyPtr = std::unique_ptr<EC_KEY, FreeBy<&EC_KEY_free>>;
using PointPtr = std::unique_ptr<EC_POINT, FreeBy<&EC_POINT_free>>;
using ParamsBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, FreeBy<&OSSL_PARAM_BLD_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeBy<&PKCS8_PRIV_KEY_INFO_free>>;

struct WipeParams {
  void operator()(OSSL_PARAM* params) const noexcept {
    // OpenSSL clears only what lies in its secure memory.
    if (OSSL_PARAM* number = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_PRIV_KEY)) {
      OPENSSL_cleanse(number->data, number->data_size);
    }
    OSSL_PARAM_free(params);
  }
};
using ParamsPtr = std::unique_ptr<OSSL_PARAM, WipeParams>;

// The curve is named: explicit parameters could be those of any curve (RFC 5480 2.1.1).
std::optional<KeyType> type_of(const PKCS8_PRIV_KEY_INFO* file) {
  const X509_ALGOR* algorithm = nullptr;
  if (PKCS8_pkey_get0(nullptr, nullptr, nullptr, &algorithm, file) != 1) return std::nullopt;
  const ASN1_OBJECT* kind = nullptr;
  const void* curve = nullptr;
  int curve_type = V_ASN1_UNDEF;
  X509_ALGOR_get0(&kind, &curve_type, &curve, algorithm);
  if (OBJ_obj2nid(kind) != NID_X9_62_id_ecPublicKey || curve_type != V_ASN1_OBJECT) {
    return std::nullopt;
  }
  switch (OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(curve))) {
    case NID_X9_62_prime256v1:
      return KeyType::p256;
    case NID_secp384r1:
      return KeyType::p384;
    default:
      return std::nullopt;
  }
}

int curve_of(KeyType type) { return type == KeyType::p256 ? NID_X9_62_prime256v1 : NID_secp384r1; }

// RFC 5915 3; null unless it is a key on the curve that the file names.
EcKeyPtr read_ec_key(const PKCS8_PRIV_KEY_INFO* file, KeyType type) {
  const unsigned char* der = nullptr;
  int size = 0;
  EC_KEY* key = EC_KEY_new_by_curve_name(curve_of(type));
  if (key == nullptr || PKCS8_pkey_get0(nullptr, &der, &size, nullptr, file) != 1 ||
      d2i_ECPrivateKey(&key, &der, size) == nullptr) {
    EC_KEY_free(key);
    return nullptr;
  }
  EcKeyPtr out(key);
  return EC_GROUP_get_curve_name(EC_KEY_get0_group(key)) == curve_of(type) ? std::move(out)
                                                                           : nullptr;
}

// The point of the private number, which has to be that of the file. Null: it is not, or the number
// is none of the curve.
PointPtr matching_point(const EC_KEY* key) {
  const EC_GROUP* group = EC_KEY_get0_group(key);
  const BIGNUM* number = EC_KEY_get0_private_key(key);
  PointPtr point(EC_POINT_new(group));
  const bool matches = point != nullptr && number != nullptr && !BN_is_negative(number) &&
                       !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0 &&
                       EC_POINT_mul(group, point.get(), number, nullptr, nullptr, nullptr) == 1 &&
                       EC_POINT_cmp(group, point.get(), EC_KEY_get0_public_key(key), nullptr) == 0;
  return matches ? std::move(point) : nullptr;
}

// A key of the kind that generate makes: named curve, uncompressed point.
PkeyPtr make_key(const EC_KEY* key, const EC_POINT* point, KeyType type) {
  std::array<std::uint8_t, 1 + 2 * 48> encoded{};
  const std::size_t size =
      EC_POINT_point2oct(EC_KEY_get0_group(key), point, POINT_CONVERSION_UNCOMPRESSED,
                         encoded.data(), encoded.size(), nullptr);
  const ParamsBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (size != 1 + 2 * coordinate_size(type) || builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      OBJ_nid2sn(curve_of(type)), 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(),
                                       size) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY,
                             EC_KEY_get0_private_key(key)) != 1) {
    return nullptr;
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return nullptr;
  }
  return PkeyPtr(made);
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
  const BioPtr input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Pkcs8Ptr file(PEM_read_bio_PKCS8_PRIV_KEY_INFO(input.get(), nullptr, no_password, nullptr));
  if (file == nullptr) return unsupported("no unencrypted private key of PKCS#8 in PEM");
  const std::optional<KeyType> type = type_of(file.get());
  if (!type) return unsupported("only EC keys on P-256 and P-384, by name, are supported");
  const EcKeyPtr read = read_ec_key(file.get(), *type);
  if (read == nullptr) return unsupported("no key on its curve");
  const PointPtr point = matching_point(read.get());
  if (point == nullptr) return unsupported("the public part is not that of the private");
  PkeyPtr key = make_key(read.get(), point.get(), *type);
  if (key == nullptr) return failed("making the key that was read");
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
