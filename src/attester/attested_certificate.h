// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/crypto.h"
#include "ratls/attester.h"
#include "x509/builder.h"

namespace ratls {

struct AttestedCertificate::Impl {
  crypto::PrivateKey key;
  x509::CertificateSpec spec;  ///< without endorsements, serial number and key's signature
  Bytes certificate_der;
};

}  // namespace ratls
