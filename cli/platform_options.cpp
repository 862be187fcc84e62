// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "sim/platform.h"

namespace ratls::cli {
namespace {

Result<QuoteSource> sim_source(const std::string& dir) {
  RATLS_TRY(auto platform, sim::Platform::load(sim_dir(dir)));
  return QuoteSource([platform = std::move(platform)](const ReportData& report_data) {
    return platform.quote(report_data);
  });
}

Result<QuoteSource> make_source(const TeeOptions& options) {
  const std::string& tee = options.tee;
  if (!options.sim_dir.empty() && tee != "sim") {
    return Error(Code::usage, "--sim", "it goes with --tee sim only");
  }
  if (tee == "sim") return sim_source(options.sim_dir);
  if (tee == "gramine") return gramine_quote_source();
  if (tee.starts_with("gramine:") && tee.size() > 8) return gramine_quote_source(tee.substr(8));
  if (tee == "tdx") return tdx_quote_source();
  if (tee.starts_with("tdx:") && tee.size() > 4) return tdx_quote_source(tee.substr(4));
  if (tee != "auto") return Error(Code::usage, "--tee", "\"" + tee + "\" is no kind of TEE");
  return auto_quote_source();
}

}  // namespace

std::filesystem::path sim_dir(const std::string& option) {
  return option.empty() ? sim::default_dir() : std::filesystem::path(option);
}

Result<Attester> make_attester(const TeeOptions& tee, const CertificateArguments& certificate,
                               std::string_view default_lifetime) {
  CertificateOptions options;
  const std::string_view lifetime =
      certificate.lifetime.empty() ? default_lifetime : std::string_view(certificate.lifetime);
  RATLS_TRY(options.lifetime, parse_duration(lifetime, "--lifetime"));
  options.key = certificate.key == "p384" ? CertificateKey::p384 : CertificateKey::p256;
  options.names = certificate.names;
  options.legacy_extension = !certificate.no_legacy_extension;
  RATLS_TRY(auto source, make_source(tee));
  return Attester::create(std::move(source), std::move(options));
}

}  // namespace ratls::cli
