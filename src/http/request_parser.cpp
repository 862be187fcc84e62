// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.h"

#include "http/message_reader.h"

namespace ratls::http {

struct RequestParser::Progress {
  explicit Progress(const HttpLimits& given) : limits(given), reader(given) {}

  std::optional<Refusal> scan(std::string_view block) {
    auto outcome = scan_request_head(block, limits);
    if (auto* refusal = std::get_if<Refusal>(&outcome)) return std::move(*refusal);
    const RequestHead& head = std::get<RequestHead>(outcome);
    framing = head;
    expects_continue = head.expects_continue;
    reader.message().path = path_of(head.target);
    return {};
  }

  HttpLimits limits;
  MessageReader<true, Request> reader;
  Framing framing;
  bool expects_continue = false;
};

RequestParser::RequestParser(const HttpLimits& limits)
    : progress_(std::make_unique<Progress>(limits)) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

std::size_t RequestParser::feed(std::string_view input) {
  return progress_->reader.feed(input,
                                [this](std::string_view block) { return progress_->scan(block); });
}

RequestParser::State RequestParser::state() const noexcept {
  return static_cast<State>(progress_->reader.state());
}
const Refusal& RequestParser::refusal() const { return progress_->reader.refusal(); }
Request& RequestParser::request() { return progress_->reader.message(); }
bool RequestParser::header_done() const { return progress_->reader.header_done(); }
const Framing& RequestParser::framing() const { return progress_->framing; }

bool RequestParser::awaits_continue() const {
  return progress_->expects_continue && state() == State::needs_more &&
         progress_->reader.message().body.empty();
}

bool RequestParser::keeps_alive() const { return progress_->reader.beast().keep_alive(); }

std::variant<Request, Refusal> parse_request(std::string_view bytes, const HttpLimits& limits) {
  RequestParser parser(limits);
  while (true) {
    const std::size_t taken = parser.feed(bytes);
    if (parser.state() == RequestParser::State::refused) return parser.refusal();
    if (parser.state() == RequestParser::State::complete) return std::move(parser.request());
    if (taken == 0) return Refusal{400, "The request is not whole."};
    bytes.remove_prefix(taken);
  }
}

}  // namespace ratls::http
