// SPDX-License-Identifier: Apache-2.0
#include "ratls/policy.h"

#include "target.h"

// A policy that parses names an enclave or a TD, and never accepts what cannot be accepted.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto policy = ratls::parse_policy(ratls::as_text({data, size}), "/nonexistent");
  if (!policy) {
    ratls::fuzz::require(ratls::exit_code(policy.error().code()) == 2);
    return 0;
  }
  ratls::fuzz::require(!policy->enclaves.empty() || !policy->tds.empty());
  ratls::fuzz::require(ratls::check_policy(*policy).has_value());
  for (const ratls::TcbStatus status : policy->tcb.accept) {
    ratls::fuzz::require(status != ratls::TcbStatus::revoked &&
                         status != ratls::TcbStatus::not_supported);
  }
  return 0;
}
