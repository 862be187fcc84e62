// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/forward.h"
#include "http/response_parser.h"
#include "target.h"

namespace {

using ratls::http::ResponseParser;
using State = ResponseParser::State;

struct Reading {
  ResponseParser parser{4096, false};
  std::size_t taken = 0;
};

/// read feeds the input in pieces and then its end.
Reading read(std::string_view input, std::size_t piece) {
  Reading reading;
  std::string pending;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    pending += input.substr(at, piece);
    while (reading.parser.state() == State::needs_more) {
      const std::size_t taken = reading.parser.feed(pending);
      pending.erase(0, taken);
      reading.taken += taken;
      if (taken == 0) break;
    }
    if (reading.parser.state() != State::needs_more) return reading;
  }
  if (reading.parser.state() == State::needs_more) reading.parser.end();
  return reading;
}

/// forwarded is what a client gets, of a local proxy with its own word on cookies and places.
std::string forwarded(ResponseParser& parser, bool by_local_proxy) {
  using ratls::http::BodyFraming;
  ratls::Response response = parser.response();
  if (by_local_proxy) {
    ratls::http::make_local(response.headers, {{"localhost"}, 80, "h"}, "localhost");
  }
  const BodyFraming framing = ratls::http::body_framing(response, parser.framing(), false, false);
  std::string out;
  ratls::http::write_forwarded_answer(out, response, parser.framing(), framing,
                                      ratls::http::Persistence::keep_alive, "now", "0123");
  if (framing == BodyFraming::chunked) {
    ratls::http::write_chunk(out, response.body);
    ratls::http::write_last_chunk(out);
  } else if (framing == BodyFraming::as_announced) {
    out += response.body;
  }
  return out;
}

}  // namespace

// A response means the same however its bytes arrive, and what is passed on to a client is one
// response with the same status and body.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ratls::fuzz::require;
  const std::string_view input = ratls::as_text({data, size});
  Reading whole = read(input, std::max<std::size_t>(size, 1));
  Reading bytewise = read(input, 1);
  require(whole.parser.state() == bytewise.parser.state());
  require(whole.parser.state() != State::needs_more);
  if (whole.parser.state() != State::complete) return 0;
  require(whole.taken == bytewise.taken);
  require(whole.parser.response().body == bytewise.parser.response().body);
  if (whole.parser.response().status < 200) return 0;
  for (const bool by_local_proxy : {false, true}) {
    const std::string passed_on = forwarded(whole.parser, by_local_proxy);
    Reading again = read(passed_on, passed_on.size());
    // Our own fields come on top of the app's, which may have filled the limit.
    if (passed_on.size() - whole.parser.response().body.size() > 4000) return 0;
    require(again.parser.state() == State::complete && again.taken == passed_on.size());
    require(again.parser.response().status == whole.parser.response().status);
    require(again.parser.response().body == whole.parser.response().body);
  }
  return 0;
}
