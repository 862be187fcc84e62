// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/crypto.h"
#include "ratls/collateral.h"
#include "tcb/qe_identity.h"
#include "tcb/tcb_info.h"
#include "x509/certificate.h"
#include "x509/crl.h"

namespace ratls {

struct TrustRoot::Impl {
  x509::Certificate certificate;
  crypto::P256PublicKey key;
};

/// SignedPart is a document of Intel's whose signature and signing chain were checked.
template <class Content>
struct SignedPart {
  Content content;
  x509::Certificate signing_certificate;  ///< issued by the root, which is the trusted one
};

/// VerifiedCa is a Platform or Processor CA that the trusted root has signed.
struct VerifiedCa {
  x509::Certificate certificate;
  crypto::P256PublicKey key;
};

struct PreparedCollateral::Parts {
  TrustRoot root;              ///< the one that all signatures were checked against
  Result<x509::Crl> root_crl;  ///< signed by the root
  Result<x509::Crl> pck_crl;   ///< parsed only; pck_crl_signer says who signed it
  /// The CA of pck_crl_issuer_chain when the root signed it and it signed pck_crl. Without it the
  /// verifier checks the CRL with the CA of the quote's own chain.
  std::optional<VerifiedCa> pck_crl_signer;
  Result<SignedPart<tcb::TcbInfo>> tcb_info;
  Result<SignedPart<tcb::QeIdentity>> qe_identity;
  /// For certification data types 1 to 3; parsed only.
  std::optional<Result<std::vector<x509::Certificate>>> pck_chain;
};

}  // namespace ratls
