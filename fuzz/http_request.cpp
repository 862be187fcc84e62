// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "http/forward.h"
#include "http/request_parser.h"
#include "target.h"

namespace {

/// check_forwarded requires that an app, or the server behind a local proxy, gets one request, with
/// our word about the client only.
void check_forwarded(ratls::Request request, const ratls::http::Framing& framing,
                     const ratls::http::LocalProxy* local) {
  request.peer = "127.0.0.1:1";
  std::string passed_on;
  ratls::http::write_forwarded_request(passed_on, request, framing, local);
  if (framing.chunked) {
    ratls::http::write_chunk(passed_on, request.body);
    ratls::http::write_last_chunk(passed_on);
  } else {
    passed_on += request.body;
  }
  const auto again =
      ratls::http::parse_request(passed_on, {.header_bytes = 64 * 1024, .body_bytes = 64 * 1024});
  const auto* read = std::get_if<ratls::Request>(&again);
  ratls::fuzz::require(read != nullptr && read->method == request.method &&
                       read->body == request.body);
  const auto said = [&](std::string_view name) {
    return std::ranges::count_if(read->headers, [&](const auto& header) {
      return ratls::equal_ignoring_case(header.first, name);
    });
  };
  const auto told = local == nullptr ? 1 : 0;
  ratls::fuzz::require(said("X-Forwarded-For") == told && said("Forwarded") == told);
  ratls::fuzz::require(said("Host") == 1 && (local == nullptr || read->header("host") == "h"));
}

}  // namespace

// A request that parses has a token for a method and a body within the limit; its meaning does not
// depend on how its bytes arrive, nor does passing it on to an app change it.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ratls::http::RequestParser;
  const std::string_view input = ratls::as_text({data, size});
  const ratls::http::HttpLimits limits{.header_bytes = 4096, .body_bytes = 4096};
  const auto whole = ratls::http::parse_request(input, limits);
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
  ratls::fuzz::require(ratls::http::is_token(request->method));
  ratls::fuzz::require(request->body.size() <= limits.body_bytes);
  ratls::fuzz::require(request->body == parser.request().body &&
                       request->target == parser.request().target);
  check_forwarded(*request, parser.framing(), nullptr);
  const ratls::http::LocalProxy local{{"127.0.0.1", "localhost"}, 80, "h"};
  if (!ratls::http::check_local_request(*request, local)) {
    check_forwarded(*request, parser.framing(), &local);
  }
  return 0;
}
