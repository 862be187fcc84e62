// SPDX-License-Identifier: Apache-2.0
#include "http/response_parser.h"

#include "http/message_reader.h"

namespace ratls::http {

struct ResponseParser::Progress {
  Progress(std::size_t header_bytes, bool to_head)
      : reader({header_bytes, std::numeric_limits<std::size_t>::max()}) {
    reader.beast().skip(to_head);
  }

  std::optional<Refusal> scan(std::string_view block) {
    auto outcome = scan_response_head(block);
    if (auto* refusal = std::get_if<Refusal>(&outcome)) return std::move(*refusal);
    framing = std::get<ResponseHead>(outcome);
    return {};
  }

  MessageReader<false, Response> reader;
  Framing framing;
};

ResponseParser::ResponseParser(std::size_t header_bytes, bool to_head)
    : progress_(std::make_unique<Progress>(header_bytes, to_head)) {}
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;
ResponseParser::~ResponseParser() = default;

std::size_t ResponseParser::feed(std::string_view input) {
  return progress_->reader.feed(input,
                                [this](std::string_view block) { return progress_->scan(block); });
}

void ResponseParser::end() { progress_->reader.end(); }

ResponseParser::State ResponseParser::state() const noexcept {
  return static_cast<State>(progress_->reader.state());
}
Refusal ResponseParser::refusal() const { return {502, progress_->reader.refusal().reason}; }
bool ResponseParser::header_done() const { return progress_->reader.header_done(); }
Response& ResponseParser::response() { return progress_->reader.message(); }
const Framing& ResponseParser::framing() const { return progress_->framing; }
bool ResponseParser::keeps_alive() const { return progress_->reader.beast().keep_alive(); }

}  // namespace ratls::http
