// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "sim/platform.h"
#include "tee/tee.h"

namespace ratls::cli {
std::filesystem::path sim_dir(const std::string& option) {
  return option.empty() ? sim::default_dir() : std::filesystem::path(option);
}

Result<QuoteSource> quote_source_of(const config::TeeSettings& tee) {
  if (!tee.sim_dir.empty() && tee.tee != "sim") {
    return Error(Code::usage, "--sim", "it goes with --tee sim only");
  }
  return open_tee(tee.tee, tee.sim_dir);
}

}  // namespace ratls::cli
