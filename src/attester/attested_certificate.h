// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/crypto.h"
#include "ratls/attester.h"

namespace ratls {

struct AttestedCertificate::Impl {
  crypto::PrivateKey key;
  Bytes certificate_der;
  UnixTime not_after;
};

}  // namespace ratls
