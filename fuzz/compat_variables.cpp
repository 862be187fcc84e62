// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "compat/environment.h"
#include "target.h"

// Four variables, one a line. An enclave that is named has a measurement; a time is one that can be
// written down again.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = ratls::as_text({data, size});
  std::array<std::string, 4> lines;
  for (std::string& line : lines) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto enclave =
      ratls::compat::enclave_of({lines[0], lines[1], lines[2], lines[3], {}, false});
  if (enclave) {
    ratls::fuzz::require(enclave->mr_enclave || enclave->mr_signer);
  } else {
    ratls::fuzz::require(ratls::exit_code(enclave.error().code()) == 2);
  }
  const auto time = ratls::compat::parse_timestamp(lines[0], "input");
  if (time) ratls::fuzz::require(ratls::format_time(*time).starts_with(lines[0].substr(0, 4)));
  return 0;
}
