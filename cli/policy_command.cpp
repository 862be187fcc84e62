// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "cli/commands.h"
#include "cli/policy_summary.h"
#include "cli/print.h"
#include "ratls/verifier.h"

namespace ratls::cli {
namespace {

Result<std::string> summary_of(const std::string& file) {
  RATLS_TRY(Policy policy, load_policy(file));
  // Also reads the certificate that [trust] root names.
  auto verifier = Verifier::create(std::move(policy));
  if (!verifier) return verifier.error().in(file);
  return policy_summary(verifier->policy(),
                        verifier->root().is_intel() ? Root::intel : Root::other);
}

}  // namespace

int policy_check(const PolicyCheckArguments& arguments) {
  const auto summary = summary_of(arguments.file);
  if (!summary) return print_error(summary.error());
  if (print(*summary)) return 0;
  return print_error(Error(Code::file_unwritable, "stdout", ""));
}

}  // namespace ratls::cli
