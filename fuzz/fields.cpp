// SPDX-License-Identifier: Apache-2.0
#include "policy/fields.h"

#include "base/reader.h"
#include "target.h"

// What can be read can be flattened, or is refused as what it is; each value has a name.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document =
      ratls::toml::parse_toml(ratls::as_text({data, size}), ratls::Code::policy_invalid);
  if (!document) return 0;
  const auto fields = ratls::policy::fields_of(*document);
  if (!fields) {
    ratls::fuzz::require(fields.error().code() == ratls::Code::policy_invalid);
    return 0;
  }
  for (const auto& [name, value] : *fields) {
    ratls::fuzz::require(!name.empty() && !value.empty());
  }
  return 0;
}
