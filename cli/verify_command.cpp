// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/print.h"
#include "cli/report.h"
#include "cli/steps.h"
#include "ratls/client.h"

namespace ratls::cli {
namespace {

Result<Outcome> verify_file(const VerifyArguments& arguments, Policy policy) {
  RATLS_TRY(const SubjectBytes subject, read_subject(arguments.subject));
  UnixTime now = system_now();
  if (!arguments.at.empty()) {
    RATLS_TRY(now, parse_time(arguments.at, "--at"));
  }
  RATLS_TRY(const Verifier verifier, Verifier::create(std::move(policy)));
  RATLS_TRY(const auto source, open_policy_sources(verifier, command_client_options().cache));
  const StepListener on_step = arguments.verbose ? step_printer() : nullptr;
  const Verdict verdict =
      subject.is_quote ? verifier.verify_quote(subject.bytes, *source, now, on_step)
                       : verifier.verify_certificate(subject.bytes, {}, *source, now, on_step);
  Outcome outcome = outcome_of(verdict);
  outcome.time_given = !arguments.at.empty();
  return outcome;
}

Result<Outcome> verify_server(const VerifyArguments& arguments, Policy policy) {
  if (!arguments.at.empty()) {
    return Error(Code::usage, "--at",
                 "a connection is judged now; --at goes with --cert or --quote");
  }
  ClientOptions options = command_client_options();
  options.resolve = arguments.resolve;
  if (arguments.verbose) options.on_step = step_printer();
  RATLS_TRY(Client client, Client::create(arguments.subject.url, std::move(policy), options));
  auto session = client.connect();
  if (session) {
    return Outcome{.report = (*session)->peer().report(), .error = std::nullopt};
  }
  const auto verdict = client.last_verdict();
  // Without a verdict there was no certificate to report on.
  if (verdict == nullptr || verdict->accepted()) return std::move(session).error();
  return outcome_of(*verdict);
}

}  // namespace

int verify(const VerifyArguments& arguments) {
  auto policy = make_policy(arguments.policy);
  if (!policy) return print_error(policy.error());
  auto outcome = arguments.subject.url.empty() ? verify_file(arguments, std::move(*policy))
                                               : verify_server(arguments, std::move(*policy));
  if (!outcome && !arguments.json) return print_error(outcome.error());
  if (!outcome) {
    outcome =
        outcome_of(outcome.error(), arguments.subject.url.empty() ? Proves::quote : Proves::session,
                   system_now());
  }
  const std::string text =
      arguments.json ? json_text(report_json(*outcome)) : report_text(*outcome);
  if (!print(text)) return print_error(Error(Code::file_unwritable, "stdout", ""));
  if (outcome->accepted()) return 0;
  return print_error(*outcome->error);
}

}  // namespace ratls::cli
