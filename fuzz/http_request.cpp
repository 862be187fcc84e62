// SPDX-License-Identifier: Apache-2.0
#include "server/http_parse.h"
#include "target.h"

// A request that parses has a token for a method and a body within the limit; its meaning does not
// depend on how its bytes arrive.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ratls::server::RequestParser;
  const std::string_view input = ratls::as_text({data, size});
  const ratls::server::HttpLimits limits{.header_bytes = 4096, .body_bytes = 4096};
  const auto whole = ratls::server::parse_request(input, limits);
  RequestParser parser(limits);
  std::string pending;
  for (const char byte : input) {
    if (parser.state() != RequestParser::State::needs_more) break;
    pending.push_back(byte);
    pending.erase(0, parser.feed(pending));
  }
  const auto* request = std::get_if<ratls::Request>(&whole);
  ratls::fuzz::require((request != nullptr) == (parser.state() == RequestParser::State::complete));
  if (request == nullptr) return 0;
  ratls::fuzz::require(ratls::server::is_token(request->method));
  ratls::fuzz::require(request->body.size() <= limits.body_bytes);
  ratls::fuzz::require(request->body == parser.request().body &&
                       request->target == parser.request().target);
  return 0;
}
