// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "toml/toml_value.h"

namespace ratls::policy {

/// Fields is a document as flat names with their values as text, so that two can be compared. A
/// name is "sgx.debug", or, for an entry of a list of tables,
/// `sgx.trusted_files "file:/lib/x.so".sha256`: an entry is known by its uri, path or name and not
/// by its position; of several with the same one the second is `"file:/lib/x.so" (2)`.
using Fields = std::map<std::string, std::string>;

inline constexpr std::size_t kMaxDocumentSize = 16 * 1024 * 1024;  ///< a manifest lists each file

/// fields_of flattens a document. Errors: policy_invalid, with the line as the place, for floats,
/// dates and times, which neither policies nor manifests have, and for names that are so long that
/// together they exceed the size of a document several times.
Result<Fields> fields_of(const toml::TomlValue& document);

}  // namespace ratls::policy
