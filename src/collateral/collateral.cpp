// SPDX-License-Identifier: Apache-2.0
#include "ratls/collateral.h"

#include "tcb/strict_json.h"

namespace ratls {
namespace {

Result<Bytes> hex_member(const tcb::Members& object, std::string_view name) {
  RATLS_TRY(const std::string_view text, object.text(name));
  auto bytes = parse_hex(text, kMaxCollateralSize, name);
  if (!bytes) return object.fail(name, bytes.error().detail());
  return std::move(bytes).value();
}

}  // namespace

Result<Collateral> parse_collateral(std::string_view text) {
  constexpr Code kCode = Code::collateral_malformed;
  RATLS_TRY(const tcb::StrictJson json, tcb::parse_strict_json(text, kMaxCollateralSize, kCode));
  RATLS_TRY(const tcb::Members object, tcb::Members::of(json, "collateral", kCode));
  Collateral out;
  RATLS_TRY(out.pck_crl_issuer_chain, object.text("pck_crl_issuer_chain"));
  RATLS_TRY(out.root_ca_crl, hex_member(object, "root_ca_crl"));
  RATLS_TRY(out.pck_crl, hex_member(object, "pck_crl"));
  RATLS_TRY(out.tcb_info_issuer_chain, object.text("tcb_info_issuer_chain"));
  RATLS_TRY(out.tcb_info, object.text("tcb_info"));
  RATLS_TRY(out.tcb_info_signature, hex_member(object, "tcb_info_signature"));
  RATLS_TRY(out.qe_identity_issuer_chain, object.text("qe_identity_issuer_chain"));
  RATLS_TRY(out.qe_identity, object.text("qe_identity"));
  RATLS_TRY(out.qe_identity_signature, hex_member(object, "qe_identity_signature"));
  if (object.has("pck_certificate_chain") && !json["pck_certificate_chain"].is_null()) {
    RATLS_TRY(out.pck_certificate_chain, object.text("pck_certificate_chain"));
  }
  return out;
}

std::string format_collateral(const Collateral& collateral) {
  nlohmann::ordered_json object;
  object["pck_crl_issuer_chain"] = collateral.pck_crl_issuer_chain;
  object["root_ca_crl"] = to_hex(collateral.root_ca_crl);
  object["pck_crl"] = to_hex(collateral.pck_crl);
  object["tcb_info_issuer_chain"] = collateral.tcb_info_issuer_chain;
  object["tcb_info"] = collateral.tcb_info;
  object["tcb_info_signature"] = to_hex(collateral.tcb_info_signature);
  object["qe_identity_issuer_chain"] = collateral.qe_identity_issuer_chain;
  object["qe_identity"] = collateral.qe_identity;
  object["qe_identity_signature"] = to_hex(collateral.qe_identity_signature);
  if (collateral.pck_certificate_chain) {
    object["pck_certificate_chain"] = *collateral.pck_certificate_chain;
  }
  return object.dump(1, ' ', /*ensure_ascii=*/false,
                     nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace ratls
