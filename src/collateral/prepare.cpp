// SPDX-License-Identifier: Apache-2.0
#include "base/reader.h"
#include "collateral/parts.h"

namespace ratls {
namespace {

// Step C, the root's half: the CRL of the root CA, signed by the trusted root.
Result<x509::Crl> check_root_crl(const Collateral& collateral, const TrustRoot& root) {
  RATLS_TRY(x509::Crl crl, x509::parse_crl(collateral.root_ca_crl, "root_ca_crl"));
  if (!x509::signed_by(crl, root.impl().certificate, root.impl().key)) {
    return Error(Code::crl_untrusted, "root_ca_crl", "not issued and signed by the trusted root");
  }
  return crl;
}

// The signer of pck_crl, when its own chain proves it; an accelerator, see Parts.
std::optional<VerifiedCa> find_pck_crl_signer(const Collateral& collateral, const TrustRoot& root,
                                              const Result<x509::Crl>& pck_crl) {
  auto chain =
      x509::parse_pem_chain(as_bytes(collateral.pck_crl_issuer_chain), 2, Code::crl_untrusted);
  if (!pck_crl || !chain) return std::nullopt;
  x509::Certificate& ca = chain->front();
  auto key = x509::p256_key(ca, Code::crl_untrusted);
  if (!key || !x509::signed_by(ca, root.impl().certificate, root.impl().key) ||
      !x509::signed_by(*pck_crl, ca, *key)) {
    return std::nullopt;
  }
  return VerifiedCa{std::move(ca), std::move(key).value()};
}

// Steps D and E, the chain: TCB signing certificate and the trusted root
// (Intel QVL, TCBSigningChain).
Result<VerifiedCa> check_signing_chain(std::string_view pem, const TrustRoot& root,
                                       std::string_view name) {
  const std::string where = std::string(name) + "_issuer_chain";
  auto parsed = x509::parse_pem_chain(as_bytes(pem), 2, Code::tcb_chain_malformed);
  if (!parsed) return parsed.error().in(where);
  std::vector<x509::Certificate>& chain = *parsed;
  if (chain.size() != 2) {
    return Error(Code::tcb_chain_malformed, where,
                 "signing certificate and root are needed, got " + std::to_string(chain.size()) +
                     " certificates");
  }
  if (!std::ranges::equal(chain[1].der, root.certificate_der())) {
    return Error(Code::root_untrusted, where + "[1]", "the chain ends in another root");
  }
  x509::Certificate& signer = chain[0];
  if (signer.subject_common_name.find("SGX TCB Signing") == std::string::npos) {
    return Error(Code::tcb_chain_untrusted, where + "[0]",
                 "\"" + signer.subject_common_name + "\" is no SGX TCB Signing certificate");
  }
  if (signer.unknown_critical({}) != nullptr) {
    return Error(Code::tcb_chain_untrusted, where + "[0]", "an unknown critical extension");
  }
  RATLS_CHECK(x509::check_profile(signer, Code::tcb_chain_untrusted, where + "[0]"));
  RATLS_TRY(auto key, x509::p256_key(signer, Code::tcb_chain_untrusted));
  if (!x509::signed_by(signer, root.impl().certificate, root.impl().key)) {
    return Error(Code::tcb_chain_untrusted, where + "[0]", "not signed by the root");
  }
  return VerifiedCa{std::move(signer), std::move(key)};
}

// The signature is checked over the exact bytes before anything parses them.
Result<void> check_document_signature(const VerifiedCa& signer, std::string_view text,
                                      BytesView signature, Code code, std::string_view name) {
  if (signer.key.verify(as_bytes(text), signature)) return {};
  return Error(code, std::string(name) + "_signature", "not signed by the TCB signing key");
}

Result<SignedPart<tcb::TcbInfo>> check_tcb_info(const Collateral& collateral,
                                                const Result<VerifiedCa>& signer) {
  if (!signer) return signer.error();
  RATLS_CHECK(check_document_signature(*signer, collateral.tcb_info, collateral.tcb_info_signature,
                                       Code::tcb_info_untrusted, "tcb_info"));
  RATLS_TRY(tcb::TcbInfo content, tcb::parse_tcb_info(collateral.tcb_info));
  return SignedPart<tcb::TcbInfo>{std::move(content), signer->certificate};
}

Result<SignedPart<tcb::QeIdentity>> check_qe_identity(const Collateral& collateral,
                                                      const Result<VerifiedCa>& signer) {
  if (!signer) return signer.error();
  RATLS_CHECK(check_document_signature(*signer, collateral.qe_identity,
                                       collateral.qe_identity_signature,
                                       Code::qe_identity_untrusted, "qe_identity"));
  RATLS_TRY(tcb::QeIdentity content, tcb::parse_qe_identity(collateral.qe_identity));
  return SignedPart<tcb::QeIdentity>{std::move(content), signer->certificate};
}

}  // namespace

std::shared_ptr<const PreparedCollateral> PreparedCollateral::prepare(Collateral collateral,
                                                                      const TrustRoot& root,
                                                                      std::string source) {
  auto pck_crl = x509::parse_crl(collateral.pck_crl, "pck_crl");
  auto signer = find_pck_crl_signer(collateral, root, pck_crl);
  const auto tcb_signer = check_signing_chain(collateral.tcb_info_issuer_chain, root, "tcb_info");
  // Intel signs both documents with one certificate; the second check is then the first one.
  const auto qe_signer =
      collateral.qe_identity_issuer_chain == collateral.tcb_info_issuer_chain
          ? tcb_signer
          : check_signing_chain(collateral.qe_identity_issuer_chain, root, "qe_identity");
  std::optional<Result<std::vector<x509::Certificate>>> pck_chain;
  if (collateral.pck_certificate_chain) {
    pck_chain = x509::parse_pem_chain(as_bytes(*collateral.pck_certificate_chain), 3,
                                      Code::pck_chain_malformed);
  }
  std::shared_ptr<PreparedCollateral> prepared(new PreparedCollateral);
  prepared->source_ = std::move(source);
  prepared->parts_ =
      std::make_unique<const Parts>(Parts{.root = root,
                                          .root_crl = check_root_crl(collateral, root),
                                          .pck_crl = std::move(pck_crl),
                                          .pck_crl_signer = std::move(signer),
                                          .tcb_info = check_tcb_info(collateral, tcb_signer),
                                          .qe_identity = check_qe_identity(collateral, qe_signer),
                                          .pck_chain = std::move(pck_chain)});
  prepared->collateral_ = std::move(collateral);
  return prepared;
}

PreparedCollateral::~PreparedCollateral() = default;

Result<void> PreparedCollateral::check_for(const CollateralRequest& request) const {
  RATLS_CHECK(check_at(request.at));
  const Parts& parts = *parts_;
  const tcb::TcbInfo& tcb_info = parts.tcb_info->content;
  const bool sgx = request.tee == "sgx";
  if (!request.tee.empty() && (tcb_info.id == tcb::TcbInfo::Id::sgx) != sgx) {
    return Error(Code::tcb_info_mismatch, "tcb_info.id", "it is for the other kind of TEE");
  }
  if (!request.fmspc.empty() && to_hex(tcb_info.fmspc) != request.fmspc) {
    return Error(Code::tcb_info_mismatch, "tcb_info.fmspc",
                 to_hex(tcb_info.fmspc) + ", the platform's is " + request.fmspc);
  }
  const auto id = parts.qe_identity->content.id;
  if (!request.tee.empty() && id != (sgx ? tcb::QeIdentity::Id::qe : tcb::QeIdentity::Id::td_qe)) {
    return Error(Code::qe_identity_mismatch, "qe_identity.id", "it is for another kind of enclave");
  }
  const std::string& signer = parts.pck_crl_signer->certificate.subject_common_name;
  const bool is_platform = signer.find("Platform") != std::string::npos;
  if (!request.pck_ca.empty() && is_platform != (request.pck_ca == "platform")) {
    return Error(Code::crl_untrusted, "pck_crl", "it is that of the CA \"" + signer + "\"");
  }
  return {};
}

UnixTime PreparedCollateral::expires() const noexcept {
  const Parts& parts = *parts_;
  if (!parts.root_crl || !parts.pck_crl || !parts.tcb_info || !parts.qe_identity) return {};
  return std::min({parts.root_crl->next_update, parts.pck_crl->next_update,
                   parts.tcb_info->content.next_update, parts.qe_identity->content.next_update});
}

Result<void> PreparedCollateral::check_at(UnixTime now) const {
  const auto check_dates = [now](UnixTime from, UnixTime until, Code code,
                                 const char* where) -> Result<void> {
    if (now >= from && now <= until) return {};
    return Error(code, where, "valid from " + format_time(from) + " to " + format_time(until));
  };
  const Parts& parts = *parts_;
  if (!parts.root_crl) return parts.root_crl.error();
  if (!parts.pck_crl) return parts.pck_crl.error();
  if (!parts.pck_crl_signer) {
    return Error(Code::crl_untrusted, "pck_crl", "not signed by a CA that the root has signed");
  }
  RATLS_CHECK(check_dates(parts.root_crl->this_update, parts.root_crl->next_update,
                          Code::crl_expired, "root_ca_crl"));
  RATLS_CHECK(check_dates(parts.pck_crl->this_update, parts.pck_crl->next_update, Code::crl_expired,
                          "pck_crl"));
  if (!parts.tcb_info) return parts.tcb_info.error();
  const tcb::TcbInfo& tcb_info = parts.tcb_info->content;
  if (tcb_info.tdx_defect) return *tcb_info.tdx_defect;
  RATLS_CHECK(
      check_dates(tcb_info.issue_date, tcb_info.next_update, Code::tcb_info_expired, "tcb_info"));
  if (!parts.qe_identity) return parts.qe_identity.error();
  const tcb::QeIdentity& qe_identity = parts.qe_identity->content;
  return check_dates(qe_identity.issue_date, qe_identity.next_update, Code::qe_identity_expired,
                     "qe_identity");
}

}  // namespace ratls
