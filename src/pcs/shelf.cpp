// SPDX-License-Identifier: Apache-2.0
#include "pcs/shelf.h"

#include "base/reader.h"
#include "x509/crl.h"

namespace ratls::pcs {
namespace {

Result<std::string> ca_of(std::string_view chain) {
  RATLS_TRY(const auto certificates,
            x509::parse_pem_chain(as_bytes(chain), 2, Code::crl_untrusted));
  const std::string& name = certificates.front().subject_common_name;
  if (name.find("Platform CA") != std::string::npos) return std::string("platform");
  if (name.find("Processor CA") != std::string::npos) return std::string("processor");
  return Error(Code::crl_untrusted, "pck_crl_issuer_chain",
               "\"" + name + "\" is no PCK Platform or Processor CA");
}

Result<Bytes> root_of(std::string_view chain) {
  RATLS_TRY(auto certificates,
            x509::parse_pem_chain(as_bytes(chain), 2, Code::tcb_chain_malformed));
  return std::move(certificates.back().der);
}

Result<Bytes> der_of(BytesView crl, std::string_view name) {
  if (!as_text(crl).starts_with("-----BEGIN")) return Bytes(crl.begin(), crl.end());
  auto blocks = x509::split_pem(crl, "X509 CRL", 1, Code::crl_malformed);
  if (!blocks) return blocks.error().in(name);
  return std::move(blocks->front());
}

}  // namespace

Result<void> Shelf::add(Collateral collateral) {
  Item item;
  RATLS_TRY(item.tcb_info, tcb::parse_tcb_info(collateral.tcb_info));
  RATLS_TRY(item.qe_identity, tcb::parse_qe_identity(collateral.qe_identity));
  RATLS_TRY(item.pck_ca, ca_of(collateral.pck_crl_issuer_chain));
  RATLS_TRY(collateral.pck_crl, der_of(collateral.pck_crl, "pck_crl"));
  RATLS_TRY(collateral.root_ca_crl, der_of(collateral.root_ca_crl, "root_ca_crl"));
  RATLS_TRY(const x509::Crl pck_crl, x509::parse_crl(collateral.pck_crl, "pck_crl"));
  item.crl_issued = pck_crl.this_update;
  RATLS_TRY(item.root, root_of(collateral.tcb_info_issuer_chain));
  if (!items_.empty() && items_.front().root != item.root) {
    return Error(Code::config_invalid, "tcb_info_issuer_chain",
                 "it ends in another root than the collateral before it");
  }
  item.collateral = std::move(collateral);
  items_.push_back(std::move(item));
  return {};
}

}  // namespace ratls::pcs
