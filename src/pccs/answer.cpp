// SPDX-License-Identifier: Apache-2.0
#include "pccs/answer.h"

namespace ratls::pccs {

Result<std::string> decode_chain(std::string_view header) {
  std::string out;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] != '%') {
      out.push_back(header[i]);
      continue;
    }
    const auto byte = parse_hex(header.substr(i + 1, 2), 1, "chain");
    if (!byte || byte->size() != 1)
      return Error(Code::collateral_malformed, "chain", "a wrong percent-encoding");
    out.push_back(static_cast<char>(byte->front()));
    i += 2;
  }
  return out;
}

}  // namespace ratls::pccs
