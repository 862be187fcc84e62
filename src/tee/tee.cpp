// SPDX-License-Identifier: Apache-2.0
#include "tee/tee.h"

#include "sim/platform.h"

namespace ratls {
namespace {

Result<QuoteSource> open_sim(const std::filesystem::path& dir) {
  RATLS_TRY(auto platform, sim::Platform::load(dir.empty() ? sim::default_dir() : dir));
  return QuoteSource([platform = std::move(platform)](const ReportData& report_data) {
    return platform.quote(report_data);
  });
}

}  // namespace

Result<QuoteSource> open_tee(const std::string& name, const std::filesystem::path& sim_dir) {
  if (name == "sim") return open_sim(sim_dir);
  if (name == "gramine") return gramine_quote_source();
  if (name.starts_with("gramine:") && name.size() > 8) return gramine_quote_source(name.substr(8));
  if (name == "tdx") return tdx_quote_source();
  if (name.starts_with("tdx:") && name.size() > 4) return tdx_quote_source(name.substr(4));
  if (name != "auto") return Error(Code::usage, "tee", "\"" + name + "\" is no kind of TEE");
  return auto_quote_source();
}

}  // namespace ratls
