// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "ratls/attester.h"

namespace ratls {

/// open_tee finds the quote source of a kind of TEE: "auto" (never a simulated one), "gramine",
/// "gramine:DIR", "tdx", "tdx:DIR" or "sim". sim_dir is the folder of the simulated platform;
/// empty: the default one. Errors: usage, quote_unavailable, platform_unavailable.
Result<QuoteSource> open_tee(const std::string& name, const std::filesystem::path& sim_dir);

}  // namespace ratls
