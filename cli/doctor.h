// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "ratls/policy.h"
#include "ratls/result.h"

// What `ratls doctor` looks at. Findings are facts about this machine or a server; none of them
// makes anything accepted.
namespace ratls::cli {

/// FindingState is what a finding means for the role: an absence may be made up for by something
/// else, a failure not; what was not reached is undecided.
enum class FindingState { ok, warning, absent, undecided, failed };

struct Finding {
  std::string name;
  FindingState state = FindingState::ok;
  std::string text;
  std::string hint = "";
  Code code = Code::ok;  ///< of a failure
};
using Findings = std::vector<Finding>;

/// failure is a finding of an error.
Finding failure(std::string name, const Error& error);

/// names_identity says whether the options name who is accepted.
bool names_identity(const PolicyOptions& options);

/// judged_policy is the policy of the options; without an identity it accepts an enclave that
/// nobody has. Errors: as make_policy.
Result<Policy> judged_policy(const PolicyOptions& options);

/// look_at_client looks at what a client on this machine needs. With a policy, or other options of
/// verification, its sources of collateral are asked. Blocks: on them.
Findings look_at_client(const PolicyOptions& policy);

/// look_at_host looks at what a server on this machine can make quotes with. root is where the file
/// system begins. Blocks: on files.
Findings look_at_host(const std::filesystem::path& root);

/// look_at_server goes step by step to a server and its verdict. Without a policy all is judged but
/// who it is, with Intel's root. Blocks: on the network.
Findings look_at_server(const std::string& url, const PolicyOptions& policy);

}  // namespace ratls::cli
