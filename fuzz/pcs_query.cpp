// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/write.h"
#include "pcs/answer.h"
#include "sim/world.h"
#include "target.h"

namespace {

const ratls::pcs::Shelf& shelf() {
  static const ratls::pcs::Shelf kShelf = [] {
    ratls::pcs::Shelf shelf;
    const auto world = ratls::sim::build_world(ratls::sim::plan_world().value()).value();
    ratls::fuzz::require(shelf.add(world.collateral).has_value());
    return shelf;
  }();
  return kShelf;
}

}  // namespace

// Whatever is asked for, the answer is one of the API's, and can be sent.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ratls::Request request;
  request.method = "GET";
  for (const std::string_view path : ratls::pcs::kPaths) {
    request.path = path;
    request.target = request.path + "?" + std::string(ratls::as_text({data, size}));
    const ratls::Response response = ratls::pcs::answer(shelf(), request);
    constexpr int kStatuses[] = {200, 400, 404, 410};
    ratls::fuzz::require(std::ranges::find(kStatuses, response.status) != std::end(kStatuses));
    ratls::fuzz::require(ratls::http::is_sendable(response));
  }
  return 0;
}
