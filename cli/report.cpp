// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace ratls::cli {
namespace {

using nlohmann::ordered_json;

std::string_view proves_word(Proves proves) {
  switch (proves) {
    case Proves::quote:
      return "quote";
    case Proves::certificate:
      return "certificate";
    case Proves::session:
      return "session";
  }
  return "";
}

template <class T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}
ordered_json or_null(const std::optional<UnixTime>& value) {
  return value ? ordered_json(format_time(*value)) : ordered_json(nullptr);
}
ordered_json or_null(const std::optional<TcbStatus>& value) {
  return value ? ordered_json(to_string(*value)) : ordered_json(nullptr);
}
ordered_json or_null(const std::string& value) {
  return value.empty() ? ordered_json(nullptr) : ordered_json(value);
}

std::string verdict_message(const Outcome& outcome) {
  if (outcome.error) return outcome.error->message();
  switch (outcome.report.proves) {
    case Proves::quote:
      return "the quote is genuine and the policy accepts it; no connection was checked";
    case Proves::certificate:
      return "the certificate is genuine and the policy accepts it; no connection was checked";
    case Proves::session:
      return outcome.report.simulated
                 ? "the server is the code that the policy names, on a simulated platform"
                 : "the server is the code that the policy names, on genuine hardware";
  }
  return "";
}

void add_enclave(ordered_json& json, const Report& report) {
  const auto& enclave = report.enclave;
  json["mr_enclave"] = enclave ? ordered_json(to_hex(enclave->mr_enclave)) : nullptr;
  json["mr_signer"] = enclave ? ordered_json(to_hex(enclave->mr_signer)) : nullptr;
  json["isv_prod_id"] = enclave ? ordered_json(enclave->isv_prod_id) : nullptr;
  json["isv_svn"] = enclave ? ordered_json(enclave->isv_svn) : nullptr;
  json["debug"] = enclave     ? ordered_json(enclave->debug())
                  : report.td ? ordered_json(report.td->debug())
                              : nullptr;
}

void add_td(ordered_json& json, const Report& report) {
  const TdReport* td = report.td ? &*report.td : nullptr;
  const auto field = [&](const char* name, const auto& of) {
    json[name] = td != nullptr ? ordered_json(to_hex(of(*td))) : ordered_json(nullptr);
  };
  field("mr_td", [](const TdReport& r) { return r.mr_td; });
  field("rtmr0", [](const TdReport& r) { return r.rtmr[0]; });
  field("rtmr1", [](const TdReport& r) { return r.rtmr[1]; });
  field("rtmr2", [](const TdReport& r) { return r.rtmr[2]; });
  field("rtmr3", [](const TdReport& r) { return r.rtmr[3]; });
  field("td_attributes", [](const TdReport& r) { return r.td_attributes; });
  field("xfam", [](const TdReport& r) { return r.xfam; });
  field("mr_config_id", [](const TdReport& r) { return r.mr_config_id; });
  field("mr_owner", [](const TdReport& r) { return r.mr_owner; });
  field("mr_owner_config", [](const TdReport& r) { return r.mr_owner_config; });
  field("mr_seam", [](const TdReport& r) { return r.mr_seam; });
  field("tee_tcb_svn", [](const TdReport& r) { return r.tee_tcb_svn; });
}

ordered_json report_data_of(const Report& report) {
  if (report.enclave) return to_hex(report.enclave->report_data);
  return report.td ? ordered_json(to_hex(report.td->report_data)) : ordered_json(nullptr);
}

}  // namespace

Outcome outcome_of(const Verdict& verdict) {
  Outcome outcome{.report = verdict.report, .error = std::nullopt};
  if (!verdict.result) outcome.error = verdict.result.error();
  return outcome;
}

ordered_json report_json(const Outcome& outcome) {
  const Report& report = outcome.report;
  const Code code = outcome.error ? outcome.error->code() : Code::ok;
  ordered_json json;
  json["accepted"] = outcome.accepted();
  json["code"] = describe(code).name;
  json["exit_code"] = exit_code(code);
  json["message"] = verdict_message(outcome);
  json["where"] = outcome.error ? or_null(outcome.error->where()) : nullptr;
  json["hint"] = outcome.error ? ordered_json(outcome.error->hint()) : nullptr;
  json["proves"] = proves_word(report.proves);
  json["fresh"] = false;
  json["name_checked"] = report.name_checked;
  json["validity_bound"] = report.validity_bound;
  json["tee"] = report.authenticated ? ordered_json(to_string(*report.tee)) : nullptr;
  json["simulated"] = report.simulated;
  json["quote_version"] = report.authenticated ? or_null(report.quote_version) : nullptr;
  json["tcb_status"] = or_null(report.tcb_status);
  json["advisories"] = report.advisories;
  json["tcb_date"] = or_null(report.tcb_date);
  json["tcb_evaluation_number"] = or_null(report.tcb_evaluation_number);
  json["qe_tcb_status"] = or_null(report.qe_tcb_status);
  // Before the quote's signature is right, nothing ties the chain that it carries to it.
  const auto platform = [&](const std::optional<std::string>& value) {
    return report.authenticated ? or_null(value) : ordered_json(nullptr);
  };
  json["fmspc"] = platform(report.fmspc);
  json["pce_id"] = platform(report.pce_id);
  json["ppid"] = platform(report.ppid);
  json["pck_ca"] = platform(report.pck_ca);
  add_enclave(json, report);
  add_td(json, report);
  json["report_data"] = report_data_of(report);
  json["evidence_format"] = or_null(report.evidence_format);
  json["collateral"] = {{"source", or_null(report.collateral_source)},
                        {"issued", or_null(report.collateral_issued)},
                        {"expires", or_null(report.collateral_expires)}};
  json["checked_at"] = format_time(report.checked_at);
  json["time_source"] = outcome.time_given ? "given" : "system";
  return json;
}

namespace {

std::string row(std::string_view label, const std::string& value) {
  return fmt::format("  {:<14}{}\n", label, printable(value));
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string verdict_lines(const Outcome& outcome) {
  std::string out = outcome.report.simulated ? "SIMULATED " : "";
  if (!outcome.error) return out + "ACCEPTED: " + verdict_message(outcome) + "\n";
  out += "REFUSED: " + printable(outcome.error->message()) + "\n";
  if (!outcome.error->where().empty()) out += row("where", outcome.error->where());
  return out + row("hint", std::string(outcome.error->hint()));
}

std::string td_lines(const Report& report) {
  const TdReport& td = *report.td;
  std::string out = "Identity\n";
  if (!report.matched_entry.empty()) out += row("policy entry", report.matched_entry);
  out += row("mr_td", to_hex(td.mr_td));
  for (std::size_t i = 0; i < td.rtmr.size(); ++i) {
    out += row(fmt::format("rtmr{}", i), to_hex(td.rtmr[i]));
  }
  out += row("td_attributes", to_hex(td.td_attributes));
  out += row("TDX module",
             fmt::format("version {}, SVN {}", td.tee_tcb_svn.bytes[1], td.tee_tcb_svn.bytes[0]));
  const bool served = td.mr_service_td && *td.mr_service_td != MrServiceTd{};
  if (served) out += row("mr_service_td", to_hex(*td.mr_service_td) + " (a service TD is bound)");
  return out + row("debug", td.debug() ? "YES: the host can read its memory" : "no");
}

std::string identity_lines(const Report& report) {
  if (report.td) return td_lines(report);
  if (!report.enclave) return "Identity: not established\n";
  const EnclaveReport& enclave = *report.enclave;
  std::string out = "Identity\n";
  if (!report.matched_entry.empty()) out += row("policy entry", report.matched_entry);
  out += row("mr_enclave", to_hex(enclave.mr_enclave));
  out += row("mr_signer", to_hex(enclave.mr_signer));
  out += row("product",
             fmt::format("isv_prod_id {}, isv_svn {}", enclave.isv_prod_id, enclave.isv_svn));
  return out + row("debug", enclave.debug() ? "YES: the host can read its memory" : "no");
}

std::string tcb_lines(const Report& report) {
  if (!report.tcb_status) return "TCB: not established\n";
  std::string out = "TCB\n";
  std::string parts = fmt::format("platform {}", to_string(*report.platform_tcb_status));
  if (report.module_tcb_status) {
    parts += fmt::format(", TDX module {}", to_string(*report.module_tcb_status));
  }
  out += row("status", fmt::format("{} ({}, QE {})", to_string(*report.tcb_status), parts,
                                   to_string(*report.qe_tcb_status)));
  out += row("advisories", report.advisories.empty() ? "none" : join(report.advisories));
  if (report.tcb_date) out += row("TCB date", format_time(*report.tcb_date));
  if (report.tcb_evaluation_number) {
    out += row("evaluation", "data number " + std::to_string(*report.tcb_evaluation_number));
  }
  return out;
}

std::string chain_lines(const Report& report) {
  if (report.chain.empty()) return "Chain of trust: not established\n";
  std::string out = "Chain of trust\n";
  std::string indent = "  ";
  const auto link = [&](const std::string& text) {
    out += indent + printable(text) + "\n";
    indent += "  ";
  };
  for (const Report::ChainLink& part : report.chain) {
    link(fmt::format("{}, until {}", part.subject, format_time(part.not_after)));
  }
  if (report.authenticated) {
    link("quoting enclave and its attestation key");
    link(fmt::format("quote, {} version {}", to_string(*report.tee), *report.quote_version));
  }
  if (report.authenticated && report.server_key_sha256) {
    link("TLS key, SHA-256 " + *report.server_key_sha256);
  }
  return out;
}

std::string date_lines(const Outcome& outcome) {
  const Report& report = outcome.report;
  std::string out = "Dates\n";
  out += row("checked at", format_time(report.checked_at) +
                               (outcome.time_given ? " (given)" : " (system clock)"));
  if (report.collateral_issued) {
    out += row("collateral",
               fmt::format("from {}, issued {}, expires {}", report.collateral_source.value_or(""),
                           format_time(*report.collateral_issued),
                           format_time(*report.collateral_expires)));
  }
  if (outcome.accepted() && report.certificate_not_after) {
    out += row("certificate", fmt::format("{} to {}{}", format_time(*report.certificate_not_before),
                                          format_time(*report.certificate_not_after),
                                          report.validity_bound ? ", the end is attested"
                                                                : ", the end is not attested"));
  }
  return out;
}

std::string remark_lines(const Outcome& outcome) {
  const Report& report = outcome.report;
  std::string out;
  const auto remark = [&](std::string_view text) { out += fmt::format("Note: {}\n", text); };
  if (report.simulated)
    remark("the root of trust is not Intel's; this proves nothing about hardware.");
  if (!outcome.accepted()) return out;
  if (report.proves == Proves::quote) {
    remark("a quote alone binds no TLS key; no connection was checked.");
  } else if (report.proves == Proves::certificate) {
    remark("a certificate file proves no possession of its key; no connection was checked.");
  } else if (!report.simulated) {
    remark("this code on some genuine machine; a policy with server_keys or ppid says which one.");
  }
  if (report.proves != Proves::quote && !report.validity_bound) {
    remark(
        "the end of the certificate is not attested; who steals its key can choose other dates.");
  }
  if (report.legacy_evidence_unevaluated) {
    remark(
        "the certificate also carries Gramine's older format; it binds the same key and enclave, "
        "and its own signature chain was not evaluated.");
  }
  return out;
}

}  // namespace

std::string report_text(const Outcome& outcome) {
  const Report& report = outcome.report;
  std::string out = verdict_lines(outcome);
  out += identity_lines(report);
  out += tcb_lines(report);
  if (report.authenticated) {
    out += "Platform\n" + row("fmspc", *report.fmspc) + row("ppid", *report.ppid) +
           row("pck_ca", *report.pck_ca);
  }
  return out + chain_lines(report) + date_lines(outcome) + remark_lines(outcome);
}

}  // namespace ratls::cli
