// SPDX-License-Identifier: Apache-2.0

// EC_KEY is deprecated since OpenSSL 3.0 but still the fastest way to a public key: EVP_PKEY takes
// its parameters by name, rebuilds the group for every key and costs 1.4 verifications per key and
// signature instead of 1.05. A verdict needs seven of them.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "crypto/crypto.h"
#include "crypto/openssl_objects.h"

namespace ratls::crypto {
namespace {

constexpr std::size_t kCoordinate = 32;

// One group for all keys, only read after it was made; never freed, as it must outlive every key.
const EC_GROUP* p256_group() {
  static const EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  return group;
}

EcdsaSigPtr signature_from_raw(BytesView r, BytesView s) {
  EcdsaSigPtr signature(ECDSA_SIG_new());
  BignumPtr r_number(BN_bin2bn(r.data(), static_cast<int>(r.size()), nullptr));
  BignumPtr s_number(BN_bin2bn(s.data(), static_cast<int>(s.size()), nullptr));
  if (signature == nullptr || r_number == nullptr || s_number == nullptr) return nullptr;
  if (ECDSA_SIG_set0(signature.get(), r_number.get(), s_number.get()) != 1) return nullptr;
  // They belong to the signature now.
  static_cast<void>(r_number.release());
  static_cast<void>(s_number.release());
  return signature;
}

}  // namespace

Result<P256PublicKey> P256PublicKey::from_point(BytesView xy) {
  P256PublicKey out;
  if (xy.size() != out.point_.size()) {
    return Error(Code::key_unsupported, "public key",
                 "a P-256 point has 64 bytes, got " + std::to_string(xy.size()));
  }
  std::copy(xy.begin(), xy.end(), out.point_.begin());
  const ErrorMark mark;
  std::shared_ptr<EC_KEY> key(EC_KEY_new(), EC_KEY_free);
  if (key == nullptr || p256_group() == nullptr || EC_KEY_set_group(key.get(), p256_group()) != 1) {
    return Error(Code::internal, "public key", "OpenSSL makes no P-256 key");
  }
  // SEC 1 2.3.4, uncompressed form: it cannot encode the point at infinity, and OpenSSL checks that
  // both coordinates are below p and that the point is on the curve. The cofactor is 1.
  std::array<std::uint8_t, 1 + 2 * kCoordinate> encoded{0x04};
  std::copy(xy.begin(), xy.end(), encoded.begin() + 1);
  if (EC_KEY_oct2key(key.get(), encoded.data(), encoded.size(), nullptr) != 1) {
    return Error(Code::key_unsupported, "public key", "the point is not on the curve P-256");
  }
  out.key_ = std::move(key);
  return out;
}

bool P256PublicKey::verify(BytesView message, BytesView signature_rs) const {
  if (key_ == nullptr || signature_rs.size() != 2 * kCoordinate) return false;
  const ErrorMark mark;
  const EcdsaSigPtr signature =
      signature_from_raw(signature_rs.first(kCoordinate), signature_rs.subspan(kCoordinate));
  if (signature == nullptr) return false;
  const Sha256 digest = sha256(message);
  // Anything but 1 is a refusal: 0 is a wrong signature, -1 an r or s outside 1 to n-1
  // (FIPS 186-4 6.4) or another error.
  return ECDSA_do_verify(digest.bytes.data(), static_cast<int>(digest.bytes.size()),
                         signature.get(), static_cast<EC_KEY*>(key_.get())) == 1;
}

}  // namespace ratls::crypto
