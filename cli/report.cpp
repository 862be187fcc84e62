// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <fmt/format.h>

#include "cli/print.h"

namespace ratls::cli {
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
