// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/arguments.h"
#include "ratls/attester.h"
#include "ratls/client.h"
#include "ratls/policy.h"
#include "ratls/server.h"

// One function a command; each gives the exit code.
namespace ratls::cli {

int help(const HelpArguments& arguments);
int verify(const VerifyArguments& arguments);
int inspect(const InspectArguments& arguments);
int request(const RequestArguments& arguments);
int proxy(const ProxyArguments& arguments);
int doctor(const DoctorArguments& arguments);
int serve(const ServeArguments& arguments);
int run(const RunArguments& arguments);
int sim_init(const SimInitArguments& arguments);
int sim_mount(const SimMountArguments& arguments);
int sim_pcs(const SimPcsArguments& arguments);
int collateral_fetch(const CollateralFetchArguments& arguments);
int collateral_show(const CollateralShowArguments& arguments);
int collateral_serve(const CollateralServeArguments& arguments);
int policy_check(const PolicyCheckArguments& arguments);
int policy_diff(const PolicyDiffArguments& arguments);
int policy_from_sigstruct(const PolicyFromSigstructArguments& arguments);
int policy_from_url(const PolicyFromUrlArguments& arguments);

/// make_policy reads --policy, or makes a policy of --mr-enclave or --mr-signer.
Result<Policy> make_policy(const PolicyOptions& options);

/// quote_source_of finds the source of --tee. Errors: usage, quote_unavailable,
/// platform_unavailable.
Result<QuoteSource> quote_source_of(const config::TeeSettings& tee);

/// open_staple_sources opens the sources of the verifier's policy, for --staple. Each program has
/// its own: ratls has a network, ratls-server has files. Errors: policy_invalid, usage.
Result<std::shared_ptr<CollateralSource>> open_staple_sources(const Verifier& verifier);

/// make_staple finds what to hand out; null when nothing is.
Result<StapleProvider> make_staple(const config::Settings& settings);

/// command_client_options is how commands connect: they end soon, so the cache renews while they
/// wait and not in the background.
ClientOptions command_client_options();

/// policy_or_anybody reads a policy file for its root and sources; without a file it is Intel's,
/// and accepts an enclave that nobody has.
Result<Policy> policy_or_anybody(const std::string& file);

/// sim_dir is --dir or --sim, or the default folder.
std::filesystem::path sim_dir(const std::string& option);

/// SubjectBytes is the DER certificate or the quote that a file or server gave.
struct SubjectBytes {
  bool is_quote = false;
  Bytes bytes;
};

/// read_subject reads --cert (PEM or DER) or --quote. Errors: file_unreadable,
/// certificate_malformed.
Result<SubjectBytes> read_subject(const SubjectArguments& subject);

}  // namespace ratls::cli
