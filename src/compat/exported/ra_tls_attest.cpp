// SPDX-License-Identifier: Apache-2.0
// What libra_tls_attest.so exports.
#include <gramine/ra_tls.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "compat/attest.h"
#include "compat/results.h"
#include "crypto/crypto.h"
#include "tls/openssl_setup.h"

// Only the tests' build of the library has another.
#ifndef RATLS_COMPAT_ATTESTATION
#define RATLS_COMPAT_ATTESTATION "/dev/attestation"
#endif

namespace ratls::compat {
namespace {

struct Free {
  void operator()(std::uint8_t* bytes) const noexcept { std::free(bytes); }
};
using MallocBytes = std::unique_ptr<std::uint8_t, Free>;

Result<MallocBytes> copied(const Bytes& bytes) {
  MallocBytes copy(static_cast<std::uint8_t*>(std::malloc(bytes.size())));
  if (copy == nullptr) return Error(Code::internal, "memory", "there is none");
  std::ranges::copy(bytes, copy.get());
  return copy;
}

struct Made {
  MallocBytes key;
  std::size_t key_size = 0;
  MallocBytes certificate;
  std::size_t certificate_size = 0;
};

Result<Made> make() {
  tls::set_up_openssl();
  RATLS_TRY(const CertificateDates dates, read_certificate_dates());
  RATLS_TRY(const auto attested, make_certificate(RATLS_COMPAT_ATTESTATION, dates));
  Made made;
  const Bytes& certificate = attested.certificate_der();
  made.certificate_size = certificate.size();
  RATLS_TRY(made.certificate, copied(certificate));
  RATLS_TRY(Bytes key, attested.key_sec1_der());
  made.key_size = key.size();
  auto key_copy = copied(key);
  crypto::wipe(key);
  RATLS_TRY(made.key, std::move(key_copy));
  return made;
}

Result<Made> make_guarded() {
  try {
    return make();
  } catch (...) {
    return Error(Code::internal, "", "");
  }
}

}  // namespace
}  // namespace ratls::compat

int ra_tls_create_key_and_crt_der(uint8_t** der_key, size_t* der_key_size, uint8_t** der_crt,
                                  size_t* der_crt_size) {
  if (der_key == nullptr || der_key_size == nullptr || der_crt == nullptr ||
      der_crt_size == nullptr) {
    return -EINVAL;
  }
  *der_key = nullptr;
  *der_crt = nullptr;
  auto made = ratls::compat::make_guarded();
  if (!made) {
    ratls::compat::print_refusal(made.error());
    return ratls::compat::return_value(made.error().code());
  }
  *der_key_size = made->key_size;
  *der_crt_size = made->certificate_size;
  *der_key = made->key.release();
  *der_crt = made->certificate.release();
  return 0;
}
