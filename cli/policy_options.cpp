// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/reader.h"
#include "cli/commands.h"
#include "x509/certificate.h"
#include "x509/der.h"

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

// The certificate without OpenSSL's trust settings behind it.
Result<Bytes> first_element(BytesView bytes) {
  x509::DerReader reader(bytes, Code::certificate_malformed);
  RATLS_TRY(const x509::DerElement certificate, reader.element("certificate"));
  return Bytes(certificate.whole.begin(), certificate.whole.end());
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
  if (!as_text(file).starts_with("-----BEGIN")) return SubjectBytes{.bytes = std::move(file)};
  // gramine-ratls writes TRUSTED CERTIFICATE by default: OpenSSL's label for the same DER with
  // trust settings behind it.
  const bool trusted = as_text(file).find("BEGIN TRUSTED CERTIFICATE") != std::string_view::npos;
  RATLS_TRY(auto blocks, x509::split_pem(file, trusted ? "TRUSTED CERTIFICATE" : "CERTIFICATE", 8,
                                         Code::certificate_malformed));
  Bytes certificate = std::move(blocks.front());
  if (trusted) {
    RATLS_TRY(certificate, first_element(certificate));
  }
  return SubjectBytes{.bytes = std::move(certificate)};
}

}  // namespace ratls::cli
