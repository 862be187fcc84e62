// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "sim/platform.h"
#include "tee/tee.h"

namespace ratls::cli {
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
  if (!tee.sim_dir.empty() && tee.tee != "sim") {
    return Error(Code::usage, "--sim", "it goes with --tee sim only");
  }
  RATLS_TRY(auto source, open_tee(tee.tee, tee.sim_dir));
  return Attester::create(std::move(source), std::move(options));
}

}  // namespace ratls::cli
