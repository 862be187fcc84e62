// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "cli/commands.h"
#include "x509/certificate.h"

namespace ratls::cli {
namespace {

Result<Policy> policy_of_identity(const PolicyOptions& options) {
  EnclaveIdentity identity;
  identity.name = "command line";
  if (!options.mr_enclave.empty()) {
    RATLS_TRY(identity.mr_enclave, parse_fixed_hex<MrEnclave>(options.mr_enclave, "--mr-enclave"));
  }
  if (!options.mr_signer.empty()) {
    RATLS_TRY(identity.mr_signer, parse_fixed_hex<MrSigner>(options.mr_signer, "--mr-signer"));
  }
  identity.isv_prod_id = options.isv_prod_id;
  identity.min_isv_svn = options.min_isv_svn;
  if (!identity.mr_enclave && !identity.mr_signer) {
    return Error(Code::policy_empty, "command line",
                 "give --policy FILE, or --mr-enclave, or --mr-signer with --isv-prod-id and "
                 "--min-isv-svn");
  }
  Policy policy;
  policy.enclaves.push_back(std::move(identity));
  return policy;
}

}  // namespace

Result<Policy> make_policy(const PolicyOptions& options) {
  RATLS_TRY(Policy policy, options.policy_file.empty() ? policy_of_identity(options)
                                                       : load_policy(options.policy_file));
  if (!options.collateral_file.empty()) {
    policy.collateral.sources = {"file:" +
                                 std::filesystem::absolute(options.collateral_file).string()};
  } else if (!options.pccs.empty()) {
    policy.collateral.sources = {options.pccs};
  }
  return policy;
}

ClientOptions command_client_options() {
  ClientOptions options;
  options.cache = {.dir = default_cache_dir(), .background = false};
  return options;
}

Result<Policy> policy_or_anybody(const std::string& file) {
  if (!file.empty()) return load_policy(file);
  Policy policy;
  EnclaveIdentity nobody;
  nobody.mr_enclave.emplace().bytes.fill(0xff);
  policy.enclaves.push_back(std::move(nobody));
  return policy;
}

Result<SubjectBytes> read_subject(const SubjectArguments& subject) {
  if (!subject.quote_file.empty()) {
    RATLS_TRY(Bytes quote, read_file(subject.quote_file, kMaxQuoteSize));
    return SubjectBytes{.is_quote = true, .bytes = std::move(quote)};
  }
  RATLS_TRY(Bytes file, read_file(subject.certificate_file, 2 * x509::kMaxCertificateSize));
  RATLS_TRY(Bytes certificate, x509::certificate_of_file(file));
  return SubjectBytes{.bytes = std::move(certificate)};
}

}  // namespace ratls::cli
