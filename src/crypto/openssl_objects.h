// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

namespace ratls::crypto {

/// ErrorMark removes what OpenSSL calls in its scope leave in the thread's error queue: a leftover
/// would be read by the next SSL_get_error of the connection as a failure of its own.
class ErrorMark {
 public:
  ErrorMark() noexcept { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

/// FreeBy makes a deleter of one of OpenSSL's free functions.
template <auto function>
struct FreeBy {
  template <class T>
  void operator()(T* object) const noexcept {
    function(object);
  }
};

using BignumPtr = std::unique_ptr<BIGNUM, FreeBy<&BN_clear_free>>;
using BioPtr = std::unique_ptr<BIO, FreeBy<&BIO_free_all>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, FreeBy<&ECDSA_SIG_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, FreeBy<&EVP_MD_CTX_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, FreeBy<&EVP_PKEY_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, FreeBy<&EVP_PKEY_CTX_free>>;

}  // namespace ratls::crypto
