// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/print.h"
#include "report/report.h"

namespace ratls::cli {
namespace {

using nlohmann::ordered_json;

/// Role is what somebody wants of a machine, and whether that counts for the exit code.
struct Role {
  const char* name;
  bool asked;
  Findings findings;
};

const char* word_of(FindingState state) {
  switch (state) {
    case FindingState::ok:
      return "ok";
    case FindingState::warning:
      return "warning";
    case FindingState::absent:
      return "absent";
    case FindingState::undecided:
      return "undecided";
    case FindingState::failed:
      break;
  }
  return "failed";
}

Code first_failure(const Findings& findings) {
  const auto failed = std::ranges::find(findings, FindingState::failed, &Finding::state);
  return failed == findings.end() ? Code::ok : failed->code;
}

std::string role_text(const Role& role) {
  std::string text = std::string(role.name) + "\n";
  for (const Finding& finding : role.findings) {
    std::string word = word_of(finding.state);
    word.resize(11, ' ');
    text += "  " + word + finding.name + ": " + printable(finding.text) + "\n";
    if (!finding.hint.empty()) text += "             hint: " + printable(finding.hint) + "\n";
  }
  return text;
}

ordered_json role_json(const Role& role) {
  ordered_json findings = ordered_json::array();
  for (const Finding& finding : role.findings) {
    ordered_json one = {{"name", finding.name},
                        {"state", word_of(finding.state)},
                        {"text", finding.text},
                        {"hint", nullptr},
                        {"code", nullptr}};
    if (!finding.hint.empty()) one["hint"] = finding.hint;
    if (finding.code != Code::ok) one["code"] = describe(finding.code).name;
    findings.push_back(std::move(one));
  }
  return {{"works", first_failure(role.findings) == Code::ok}, {"findings", std::move(findings)}};
}

}  // namespace

bool names_identity(const PolicyOptions& options) {
  return !options.policy_file.empty() || !options.mr_enclave.empty() || !options.mr_signer.empty();
}

Result<Policy> judged_policy(const PolicyOptions& options) {
  if (names_identity(options)) return make_policy(options);
  PolicyOptions anybody = options;
  anybody.mr_enclave = std::string(64, 'f');  // nobody's
  return make_policy(anybody);
}

int doctor(const DoctorArguments& arguments) {
  std::vector<Role> roles;
  roles.push_back({"client", arguments.role == "client", look_at_client(arguments.policy)});
  roles.push_back({"host", arguments.role == "host", look_at_host(arguments.root)});
  if (!arguments.url.empty()) {
    roles.push_back({"server", true, look_at_server(arguments.url, arguments.policy)});
  }
  Code code = Code::ok;
  std::string text;
  ordered_json json;
  for (const Role& role : roles) {
    if (role.asked && code == Code::ok) code = first_failure(role.findings);
    text += role_text(role);
    json[role.name] = role_json(role);
  }
  if (arguments.json) {
    ordered_json all = {{"code", describe(code).name}, {"exit_code", exit_code(code)}};
    all.update(json);
    text = json_text(all);
  }
  if (!print(text)) return print_error(Error(Code::file_unwritable, "stdout", ""));
  return exit_code(code);
}

}  // namespace ratls::cli
