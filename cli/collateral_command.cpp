// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/reader.h"
#include "cli/collateral_summary.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "ratls/client.h"
#include "report/report.h"
#include "tcb/tcb_info.h"

namespace ratls::cli {
namespace {

Result<CollateralRequest> request_of_platform(const CollateralFetchArguments& arguments,
                                              UnixTime now) {
  RATLS_TRY(const auto fmspc, parse_fixed_hex<tcb::Fmspc>(arguments.fmspc, "--fmspc"));
  CollateralRequest request;
  request.tee = arguments.tee;
  request.fmspc = to_hex(fmspc);
  request.pck_ca = arguments.pck_ca;
  request.at = now;
  return request;
}

Result<CollateralRequest> request_of_subject(const SubjectArguments& subject,
                                             const Verifier& verifier, UnixTime now) {
  SubjectBytes bytes;
  if (subject.url.empty()) {
    RATLS_TRY(bytes, read_subject(subject));
  } else {
    RATLS_TRY(bytes.bytes, fetch_certificate(subject.url));
  }
  const Examination examination = bytes.is_quote
                                      ? verifier.examine_quote(bytes.bytes, now)
                                      : verifier.examine_certificate(bytes.bytes, {}, now);
  if (examination.error()) return *examination.error();
  return examination.request();
}

Result<std::string> fetch(const CollateralFetchArguments& arguments) {
  RATLS_TRY(Policy policy, policy_or_anybody(arguments.policy_file));
  if (!arguments.pccs.empty()) policy.collateral.sources = {arguments.pccs};
  if (!arguments.update.empty()) {
    policy.collateral.evaluation_number.reset();
    policy.collateral.update = arguments.update == "early" ? CollateralPolicy::Update::early
                                                           : CollateralPolicy::Update::standard;
  }
  RATLS_TRY(const Verifier verifier, Verifier::create(std::move(policy)));
  const UnixTime now = system_now();
  RATLS_TRY(const CollateralRequest request,
            arguments.fmspc.empty() ? request_of_subject(arguments.subject, verifier, now)
                                    : request_of_platform(arguments, now));
  // Not from the cache: who fetches wants what is there now.
  RATLS_TRY(const auto source, open_policy_sources(verifier, std::nullopt));
  RATLS_TRY(const auto prepared, source->find(request));
  // Nobody should find out on the day of need.
  RATLS_CHECK(prepared->check_at(now));
  return format_collateral(prepared->collateral()) + "\n";
}

Result<std::shared_ptr<const PreparedCollateral>> prepare(
    const CollateralShowArguments& arguments) {
  RATLS_TRY(Policy policy, policy_or_anybody(arguments.policy_file));
  RATLS_TRY(const Verifier verifier, Verifier::create(std::move(policy)));
  RATLS_TRY(const Bytes content, read_file(arguments.file, kMaxCollateralSize));
  auto collateral = parse_collateral(as_text(content));
  if (!collateral) return collateral.error().in(arguments.file);
  return PreparedCollateral::prepare(std::move(*collateral), verifier.root(), "file");
}

}  // namespace

int collateral_fetch(const CollateralFetchArguments& arguments) {
  const auto text = fetch(arguments);
  if (!text) return print_error(text.error());
  if (arguments.output_file.empty()) {
    return print(*text) ? 0 : print_error(Error(Code::file_unwritable, "stdout", ""));
  }
  const auto written = replace_file(arguments.output_file, as_bytes(*text), FileMode::shared);
  return written ? 0 : print_error(written.error());
}

int collateral_show(const CollateralShowArguments& arguments) {
  const auto prepared = prepare(arguments);
  if (!prepared) return print_error(prepared.error());
  const UnixTime now = system_now();
  const auto json = collateral_json(**prepared, now);
  if (!print(arguments.json ? json_text(json) : collateral_text(json))) {
    return print_error(Error(Code::file_unwritable, "stdout", ""));
  }
  const auto usable = (*prepared)->check_at(now);
  return usable ? 0 : print_error(usable.error());
}

}  // namespace ratls::cli
