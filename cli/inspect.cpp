// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect.h"

#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "crypto/crypto.h"
#include "evidence/evidence.h"
#include "x509/pck_extension.h"

namespace ratls::cli {
namespace {

using nlohmann::ordered_json;

ordered_json error_json(const Error& error) {
  return {
      {"code", describe(error.code()).name}, {"where", error.where()}, {"detail", error.detail()}};
}

ordered_json enclave_json(const EnclaveReport& report) {
  return {{"mr_enclave", to_hex(report.mr_enclave)},
          {"mr_signer", to_hex(report.mr_signer)},
          {"isv_prod_id", report.isv_prod_id},
          {"isv_svn", report.isv_svn},
          {"debug", report.debug()},
          {"attributes", to_hex(report.attributes)},
          {"misc_select", report.misc_select},
          {"cpu_svn", to_hex(report.cpu_svn)},
          {"config_id", to_hex(report.config_id)},
          {"config_svn", report.config_svn},
          {"isv_family_id", to_hex(report.isv_family_id)},
          {"isv_ext_prod_id", to_hex(report.isv_ext_prod_id)},
          {"report_data", to_hex(report.report_data)}};
}

ordered_json td_json(const TdReport& report) {
  ordered_json rtmr = ordered_json::array();
  for (const Rtmr& value : report.rtmr) rtmr.push_back(to_hex(value));
  ordered_json json{{"mr_td", to_hex(report.mr_td)},
                    {"rtmr", std::move(rtmr)},
                    {"mr_config_id", to_hex(report.mr_config_id)},
                    {"mr_owner", to_hex(report.mr_owner)},
                    {"mr_owner_config", to_hex(report.mr_owner_config)},
                    {"debug", report.debug()},
                    {"td_attributes", to_hex(report.td_attributes)},
                    {"xfam", to_hex(report.xfam)},
                    {"mr_seam", to_hex(report.mr_seam)},
                    {"mr_signer_seam", to_hex(report.mr_signer_seam)},
                    {"seam_attributes", to_hex(report.seam_attributes)},
                    {"tee_tcb_svn", to_hex(report.tee_tcb_svn)},
                    {"report_data", to_hex(report.report_data)}};
  if (report.tee_tcb_svn2) json["tee_tcb_svn2"] = to_hex(*report.tee_tcb_svn2);
  if (report.mr_service_td) json["mr_service_td"] = to_hex(*report.mr_service_td);
  return json;
}

std::string_view key_word(const x509::Certificate& certificate) {
  switch (certificate.key_kind) {
    case x509::PublicKeyKind::p256:
      return "P-256";
    case x509::PublicKeyKind::p384:
      return "P-384";
    case x509::PublicKeyKind::rsa:
      return "RSA";
    case x509::PublicKeyKind::other:
      break;
  }
  return "other";
}

ordered_json certificate_json(const x509::Certificate& certificate) {
  ordered_json json{{"subject", certificate.subject_common_name},
                    {"issuer", certificate.issuer_common_name},
                    {"serial", to_hex(certificate.serial)},
                    {"not_before", format_time(certificate.not_before)},
                    {"not_after", format_time(certificate.not_after)},
                    {"key", key_word(certificate)},
                    {"key_sha256", to_hex(crypto::sha256(certificate.spki))},
                    {"sha256", to_hex(crypto::sha256(certificate.der))}};
  ordered_json extensions = ordered_json::array();
  for (const x509::Extension& extension : certificate.extensions) {
    extensions.push_back({{"oid", x509::oid_to_text(extension.oid)},
                          {"critical", extension.critical},
                          {"bytes", extension.value.size()}});
  }
  json["extensions"] = std::move(extensions);
  return json;
}

ordered_json pck_json(const CertificationData& data) {
  ordered_json json;
  const auto chain = x509::parse_pem_chain(data.body, 8, Code::pck_chain_malformed);
  if (!chain) return error_json(chain.error());
  for (const x509::Certificate& certificate : *chain) {
    json["chain"].push_back({{"subject", certificate.subject_common_name},
                             {"not_before", format_time(certificate.not_before)},
                             {"not_after", format_time(certificate.not_after)}});
  }
  const auto extension = x509::parse_pck_extension(chain->front());
  if (!extension) {
    json["error"] = error_json(extension.error());
    return json;
  }
  json["fmspc"] = to_hex(extension->fmspc);
  json["pce_id"] = to_hex(extension->pce_id);
  json["ppid"] = to_hex(extension->ppid);
  json["pce_svn"] = extension->pce_svn;
  json["tcb_components"] = extension->tcb_components;
  return json;
}

ordered_json quote_json(const Quote& quote) {
  const QuoteSignature& signature = quote.signature;
  ordered_json json{
      {"version", quote.header.version},
      {"tee", to_string(quote.tee())},
      {"size", quote.size},
      {"user_data", to_hex(quote.header.user_data)},
      {"report", quote.td() != nullptr ? td_json(*quote.td()) : enclave_json(*quote.enclave())},
      {"qe_report", enclave_json(signature.qe_report)},
      {"certification_data_type", static_cast<int>(signature.certification_data.type)}};
  if (signature.certification_data.type == CertificationType::pck_chain) {
    json["pck"] = pck_json(signature.certification_data);
  }
  return json;
}

ordered_json evidence_json(const x509::Certificate& certificate) {
  const auto evidence = evidence::read_evidence(certificate);
  if (!evidence) return {{"error", error_json(evidence.error())}};
  ordered_json json{{"format", evidence::to_string(evidence->format)}};
  if (evidence->claims) {
    json["pubkey_hash"] = to_hex(evidence->claims->pubkey_hash);
    json["not_after"] = evidence->claims->not_after
                            ? ordered_json(format_time(*evidence->claims->not_after))
                            : nullptr;
  }
  json["second_format"] = evidence->legacy_quote.has_value();
  const auto binding = evidence::check_binding(*evidence, certificate);
  json["names_this_key"] = binding.has_value();
  json["quote"] = quote_json(evidence->quote);
  return json;
}

void write_lines(const ordered_json& json, std::size_t depth, std::string& out) {
  for (const auto& [key, value] : json.items()) {
    out += std::string(2 * depth, ' ') + (json.is_array() ? "-" : printable(key) + ":");
    if (value.is_object() || (value.is_array() && !value.empty() && value.front().is_object())) {
      out += "\n";
      write_lines(value, depth + 1, out);
    } else {
      out += " " + (value.is_string() ? printable(value.get<std::string>()) : value.dump()) + "\n";
    }
  }
}

}  // namespace

ordered_json inspect_subject(const SubjectBytes& subject) {
  ordered_json unverified;
  if (subject.is_quote) {
    const auto quote = parse_quote(subject.bytes);
    unverified = quote ? ordered_json{{"quote", quote_json(*quote)}}
                       : ordered_json{{"error", error_json(quote.error())}};
  } else {
    const auto certificate = x509::parse_certificate(subject.bytes, Code::certificate_malformed);
    if (certificate) {
      unverified["certificate"] = certificate_json(*certificate);
      unverified["evidence"] = evidence_json(*certificate);
    } else {
      unverified["error"] = error_json(certificate.error());
    }
  }
  return {{"unverified", std::move(unverified)}};
}

std::string inspection_text(const ordered_json& inspection) {
  std::string out = "Nothing below is verified; it decides nothing.\n";
  write_lines(inspection.at("unverified"), 0, out);
  return out;
}

}  // namespace ratls::cli
