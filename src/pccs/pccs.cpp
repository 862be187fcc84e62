// SPDX-License-Identifier: Apache-2.0
#include "ratls/pccs.h"

#include "collateral/document.h"
#include "pccs/address.h"
#include "pccs/answer.h"
#include "pccs/transfer.h"

namespace ratls {
namespace pccs {
namespace {

using Prepared = std::shared_ptr<const PreparedCollateral>;
// A handshake may wait for it.
constexpr std::chrono::seconds kLongestFetch{30};

class PccsSource final : public CollateralSource {
 public:
  PccsSource(Address address, PccsOptions options, TrustRoot root)
      : address_(std::move(address)), options_(std::move(options)), root_(std::move(root)) {}

  Result<Prepared> find(const CollateralRequest& request) override {
    if (request.fmspc.empty() || request.pck_ca.empty()) {
      return Error(Code::collateral_unavailable, "pccs",
                   "the quote does not say of which platform it is; use a collateral file");
    }
    return fetch(request, {std::chrono::steady_clock::now() + kLongestFetch, request.stop});
  }

 private:
  // A document that must be there, with the header that must come with it.
  Result<Answer> get_with_chain(const std::string& url, Code when_missing,
                                const Limits& limits) const {
    RATLS_TRY(Answer answer, get(url, options_.ca_pem, limits));
    if (answer.status == 404) return Error(when_missing, url, "the service answers 404");
    if (answer.chain.empty()) {
      return Error(Code::collateral_unavailable, url, "the answer has no issuer chain");
    }
    auto chain = decode_chain(answer.chain);
    if (!chain) return chain.error().in(url);
    answer.chain = std::move(*chain);
    return answer;
  }

  Result<Bytes> fetch_root_crl(const Limits& limits) const {
    const std::vector<std::string> addresses = address_.root_crl();
    for (const std::string& url : addresses) {
      RATLS_TRY(const Answer answer, get(url, options_.ca_pem, limits));
      if (answer.status == 404) continue;
      auto crl = collateral::decode_crl(answer.body);
      if (!crl) return crl.error().in(url);
      return std::move(*crl);
    }
    return Error(Code::collateral_unavailable, addresses.back(), "the service answers 404");
  }

  Result<Prepared> fetch(const CollateralRequest& request, const Limits& limits) const {
    Collateral out;
    const std::string tcb_url = address_.tcb(request, options_);
    RATLS_TRY(Answer tcb, get_with_chain(tcb_url, Code::collateral_platform_unknown, limits));
    auto tcb_info = collateral::slice_document(tcb.body, "tcbInfo");
    if (!tcb_info) return tcb_info.error().in(tcb_url);
    out.tcb_info = tcb_info->text;
    out.tcb_info_signature = std::move(tcb_info->signature);
    out.tcb_info_issuer_chain = std::move(tcb.chain);

    const std::string qe_url = address_.qe_identity(request, options_);
    RATLS_TRY(Answer qe, get_with_chain(qe_url, Code::collateral_unavailable, limits));
    auto identity = collateral::slice_document(qe.body, "enclaveIdentity");
    if (!identity) return identity.error().in(qe_url);
    out.qe_identity = identity->text;
    out.qe_identity_signature = std::move(identity->signature);
    out.qe_identity_issuer_chain = std::move(qe.chain);

    const std::string crl_url = address_.pck_crl(request);
    RATLS_TRY(Answer pck_crl, get_with_chain(crl_url, Code::collateral_unavailable, limits));
    auto crl = collateral::decode_crl(pck_crl.body);
    if (!crl) return crl.error().in(crl_url);
    out.pck_crl = std::move(*crl);
    out.pck_crl_issuer_chain = std::move(pck_crl.chain);
    RATLS_TRY(out.root_ca_crl, fetch_root_crl(limits));
    return PreparedCollateral::prepare(std::move(out), root_, "pccs");
  }

  const Address address_;
  const PccsOptions options_;
  const TrustRoot root_;
};

}  // namespace
}  // namespace pccs

Result<std::unique_ptr<CollateralSource>> open_pccs(const std::string& url,
                                                    const PccsOptions& options,
                                                    const TrustRoot& root) {
  RATLS_TRY(pccs::Address address, pccs::Address::parse(url));
  return std::unique_ptr<CollateralSource>(
      std::make_unique<pccs::PccsSource>(std::move(address), options, root));
}

}  // namespace ratls
