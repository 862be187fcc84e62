// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "ratls/policy.h"

// What a policy may say, for policies from files and from code alike. where is the place that an
// error names. Errors: policy_invalid.
namespace ratls::policy {

Result<void> check_enclave(const EnclaveIdentity& identity, std::string_view where);

/// UnmeasuredGuest says whether a [[td]] entry may leave the guest's system open
/// ([dangerous] allow_unmeasured_guest).
enum class UnmeasuredGuest { refused, allowed };
UnmeasuredGuest unmeasured_guest(const Policy& policy) noexcept;
Result<void> check_td(const TdIdentity& identity, UnmeasuredGuest unmeasured,
                      std::string_view where);

/// check_accepted_status refuses revoked and not_supported.
Result<void> check_accepted_status(TcbStatus status, std::string_view where);
/// check_advisory wants Intel's form, so that a misspelt entry of a list cannot be without effect.
Result<void> check_advisory(std::string_view advisory, std::string_view where);
Result<void> check_fmspc(std::string_view fmspc, std::string_view where);
Result<void> check_ppid(std::string_view ppid, std::string_view where);
Result<void> check_pck_ca(std::string_view pck_ca, std::string_view where);
Result<void> check_source(std::string_view source, std::string_view where);

/// TcbConditions are what a caller of the C or of Gramine's interface may accept of a platform.
struct TcbConditions {
  bool out_of_date = false;
  bool configuration_needed = false;
  bool sw_hardening_needed = false;
};
/// accept_conditions adds the statuses that these conditions make; one that joins two conditions
/// needs both.
void accept_conditions(const TcbConditions& conditions, TcbPolicy& tcb);

}  // namespace ratls::policy
