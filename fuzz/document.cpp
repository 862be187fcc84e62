// SPDX-License-Identifier: Apache-2.0
#include "collateral/document.h"
#include "target.h"

// What is sliced out is an object of the body's own bytes.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body = ratls::as_text({data, size});
  const auto sliced = ratls::collateral::slice_document(body, "tcbInfo");
  if (!sliced) {
    ratls::fuzz::require_group(sliced.error());
    return 0;
  }
  ratls::fuzz::require(sliced->text.starts_with('{') && sliced->text.ends_with('}') &&
                       sliced->signature.size() == 64 &&
                       body.find(sliced->text) != std::string_view::npos);
  return 0;
}
