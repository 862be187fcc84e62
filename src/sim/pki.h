// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "crypto/crypto.h"
#include "x509/builder.h"
#include "x509/pck_extension.h"

// The simulated counterpart of Intel's PKI (Intel SGX PCK Certificate and CRL Profile
// Specification): the same common names and extensions, under an organisation that says what it is.
namespace ratls::sim {

/// Key is a private key that several drafts may name.
using Key = std::shared_ptr<const crypto::PrivateKey>;

/// make_key generates a P-256 key. Errors: internal.
Result<Key> make_key();

/// PckCa is the kind of CA that issues PCK certificates.
enum class PckCa { platform, processor };

/// Lifetime is the first and the last second of a certificate.
struct Lifetime {
  UnixTime not_before{};
  UnixTime not_after{};
};

/// CertificateDraft is a certificate that is still to be signed; all of it may be changed first.
/// signer is whose signature it gets, whatever spec.issuer says.
struct CertificateDraft {
  x509::CertificateSpec spec;
  Key key;
  Key signer;
  std::optional<Bytes> issued;  ///< DER made before, which issue() then gives back
};

/// CrlDraft is a revocation list that is still to be signed.
struct CrlDraft {
  x509::CrlSpec spec;
  Key signer;
};

/// The drafts of a valid PKI; serial numbers are random. Errors: internal.
Result<CertificateDraft> draft_root(Key key, Lifetime lifetime);
Result<CertificateDraft> draft_pck_ca(PckCa kind, Key key, const CertificateDraft& root,
                                      Lifetime lifetime);
/// draft_pck leaves out the SGX extension.
Result<CertificateDraft> draft_pck(Key key, const CertificateDraft& pck_ca, Lifetime lifetime);
Result<CertificateDraft> draft_tcb_signing(Key key, const CertificateDraft& root,
                                           Lifetime lifetime);
CrlDraft draft_crl(const CertificateDraft& issuer, Lifetime updates, std::uint64_t crl_number);

/// issue signs a draft. The result is DER. Errors: internal.
Result<Bytes> issue(const CertificateDraft& draft);
Result<Bytes> issue(const CrlDraft& draft);

/// sgx_extension_fields writes each field of the extension as a SEQUENCE of its OID and value, in
/// Intel's order, so that a test can leave out, repeat or replace one.
std::vector<Bytes> sgx_extension_fields(const x509::PckExtension& platform);
/// sgx_extension joins fields to the extension 1.2.840.113741.1.13.1.
x509::Extension sgx_extension(const std::vector<Bytes>& fields);

}  // namespace ratls::sim
