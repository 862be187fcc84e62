// SPDX-License-Identifier: Apache-2.0
#include "ratls/quote.h"

#include "target.h"

// What parses is inside the input, and the signed bytes are a prefix of it.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ratls::BytesView input(data, size);
  const auto quote = ratls::parse_quote(input);
  if (!quote) {
    ratls::fuzz::require_group(quote.error());
    return 0;
  }
  ratls::fuzz::require(quote->size <= size);
  ratls::fuzz::require(
      std::ranges::equal(quote->signed_bytes, input.first(quote->signed_bytes.size())));
  ratls::fuzz::require(ratls::parse_quote(input.first(quote->size)).has_value());
  return 0;
}
