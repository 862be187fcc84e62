// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <nlohmann/json.hpp>

namespace ratls {
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

Outcome outcome_of(const Error& error, Proves proves, UnixTime now) {
  Outcome outcome{.report = {}, .error = error};
  outcome.report.proves = proves;
  outcome.report.checked_at = now;
  return outcome;
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
  json["fresh"] = report.fresh;
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

std::string report_json_text(const Outcome& outcome) { return json_text(report_json(outcome)); }

std::string json_text(const ordered_json& json) {
  using ErrorHandler = ordered_json::error_handler_t;
  return json.dump(1, ' ', true, ErrorHandler::replace) + "\n";
}

}  // namespace ratls
