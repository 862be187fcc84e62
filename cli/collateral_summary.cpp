// SPDX-License-Identifier: Apache-2.0
#include "cli/collateral_summary.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "collateral/parts.h"

namespace ratls::cli {
namespace {

using Json = nlohmann::ordered_json;

Json error_json(const Error& error) {
  return {{"code", describe(error.code()).name},
          {"message", error.message()},
          {"where", error.where()}};
}

Json crl_json(const Result<x509::Crl>& crl) {
  if (!crl) return {{"error", error_json(crl.error())}};
  return {{"issued", format_time(crl->this_update)},
          {"expires", format_time(crl->next_update)},
          {"number", crl->crl_number ? Json(to_hex(*crl->crl_number)) : Json(nullptr)},
          {"revoked", crl->revoked_serials.size()}};
}

Json pck_crl_json(const PreparedCollateral::Parts& parts) {
  Json json = crl_json(parts.pck_crl);
  if (!parts.pck_crl) return json;
  if (parts.pck_crl_signer) {
    json["issuer"] = parts.pck_crl_signer->certificate.subject_common_name;
  } else {
    json["error"] = error_json(
        Error(Code::crl_untrusted, "pck_crl", "not signed by a CA that the root has signed"));
  }
  return json;
}

template <class Content>
Json document_json(const SignedPart<Content>& part) {
  return {{"issued", format_time(part.content.issue_date)},
          {"expires", format_time(part.content.next_update)},
          {"evaluation_number", part.content.evaluation_number},
          {"levels", part.content.levels.size()},
          {"signing_certificate_expires", format_time(part.signing_certificate.not_after)}};
}

Json tcb_info_json(const Result<SignedPart<tcb::TcbInfo>>& part) {
  if (!part) return {{"error", error_json(part.error())}};
  const tcb::TcbInfo& info = part->content;
  Json json = document_json(*part);
  json["id"] = info.id == tcb::TcbInfo::Id::sgx ? "SGX" : "TDX";
  json["version"] = info.version;
  json["fmspc"] = to_hex(info.fmspc);
  json["pce_id"] = to_hex(info.pce_id);
  json["best_status"] = to_string(info.levels.front().status);
  json["best_tcb_date"] = format_time(info.levels.front().date);
  if (info.tdx_defect) json["error"] = error_json(*info.tdx_defect);
  return json;
}

Json qe_identity_json(const Result<SignedPart<tcb::QeIdentity>>& part) {
  if (!part) return {{"error", error_json(part.error())}};
  Json json = document_json(*part);
  const auto id = part->content.id;
  json["id"] = id == tcb::QeIdentity::Id::qe      ? "QE"
               : id == tcb::QeIdentity::Id::td_qe ? "TD_QE"
                                                  : "QVE";
  return json;
}

std::string lines_of(std::string_view name, const Json& part) {
  std::string out = fmt::format("{}\n", name);
  for (const auto& [key, value] : part.items()) {
    if (key == "error") continue;
    std::string label = key;
    std::ranges::replace(label, '_', ' ');
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    out += fmt::format("  {:<27} {}\n", label, printable(text));
  }
  if (part.contains("error")) {
    out += fmt::format("  {:<27} {}\n", "NOT USABLE",
                       printable(part["error"]["message"].get<std::string>()));
  }
  return out;
}

}  // namespace

Json collateral_json(const PreparedCollateral& collateral, UnixTime now) {
  const PreparedCollateral::Parts& parts = collateral.parts();
  Json json{{"root", parts.root.is_intel() ? "intel" : "other"}};
  json["root_sha256"] = to_hex(crypto::sha256(parts.root.certificate_der()));
  json["root_ca_crl"] = crl_json(parts.root_crl);
  json["pck_crl"] = pck_crl_json(parts);
  json["tcb_info"] = tcb_info_json(parts.tcb_info);
  json["qe_identity"] = qe_identity_json(parts.qe_identity);
  json["pck_certificate_chain"] = parts.pck_chain.has_value();
  const auto usable = collateral.check_at(now);
  json["usable"] = usable.has_value();
  json["error"] = usable ? Json(nullptr) : error_json(usable.error());
  json["expires"] = nullptr;
  for (const char* part : {"root_ca_crl", "pck_crl", "tcb_info", "qe_identity"}) {
    if (!json[part].contains("expires")) continue;
    // RFC 3339 in UTC sorts by time.
    const std::string end = json[part]["expires"];
    if (json["expires"].is_null() || end < json["expires"].get<std::string>()) {
      json["expires"] = end;
    }
  }
  json["checked_at"] = format_time(now);
  return json;
}

std::string collateral_text(const Json& json) {
  std::string out = json["usable"] ? "USABLE until " + json["expires"].get<std::string>()
                                   : "NOT USABLE: " + json["error"]["message"].get<std::string>();
  out = printable(out) + "\n";
  out += json["root"] == "intel" ? "Signed up to Intel's root\n"
                                 : "SIMULATED: signed up to another root than Intel's\n";
  out += lines_of("TCB info", json["tcb_info"]);
  out += lines_of("QE identity", json["qe_identity"]);
  out += lines_of("PCK CRL", json["pck_crl"]);
  return out + lines_of("Root CRL", json["root_ca_crl"]);
}

}  // namespace ratls::cli
