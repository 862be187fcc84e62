// SPDX-License-Identifier: Apache-2.0
#include "server/http_parse.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

namespace ratls::server {
namespace {

namespace http = boost::beast::http;
using ErrorCode = boost::beast::error_code;
using BeastView = boost::beast::string_view;

// Beast asserts that the last chunk has at least this many bytes when it comes back to it
// ("0" CRLF CRLF); no valid rest of a chunked body is shorter.
constexpr std::size_t kShortestChunkedRest = 5;

std::string_view plain(BeastView text) { return {text.data(), text.size()}; }

/// BeastParser writes what Beast finds straight into a Request.
class BeastParser final : public http::basic_parser<true> {
 public:
  explicit BeastParser(Request& request) : request_(request) { eager(true); }

 private:
  void on_request_impl(http::verb, BeastView method, BeastView target, int,
                       ErrorCode& ec) override {
    ec = {};
    request_.method = plain(method);
    request_.target = plain(target);
    request_.path = path_of(request_.target);
  }
  void on_response_impl(int, BeastView, int, ErrorCode& ec) override {
    ec = http::error::bad_method;
  }
  void on_field_impl(http::field, BeastView name, BeastView value, ErrorCode& ec) override {
    ec = {};
    // What comes after the body must not look like a header that was checked before it.
    if (!in_header_) return;
    request_.headers.emplace_back(plain(name), plain(value));
  }
  void on_header_impl(ErrorCode& ec) override {
    ec = {};
    in_header_ = false;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode& ec) override { ec = {}; }
  // Memory follows what has arrived, not what was announced.
  std::size_t on_body_impl(BeastView body, ErrorCode& ec) override {
    ec = {};
    request_.body.append(plain(body));
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastView, ErrorCode& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, ErrorCode& ec) override {
    return on_body_impl(body, ec);
  }
  void on_finish_impl(ErrorCode& ec) override { ec = {}; }

  Request& request_;
  bool in_header_ = true;
};

}  // namespace

struct RequestParser::Progress {
  explicit Progress(const HttpLimits& given) : limits(given), beast(request) {
    // scan_head decides about the size of the header first, in our words.
    beast.header_limit(static_cast<std::uint32_t>(
        std::min<std::size_t>(limits.header_bytes, std::numeric_limits<std::uint32_t>::max())));
    beast.body_limit(limits.body_bytes);
  }

  void refuse(int status, std::string reason) {
    refusal = {status, std::move(reason)};
    state = State::refused;
  }
  /// find_header_end gives the size of the header block, or 0 when it is not whole.
  std::size_t find_header_end(std::string_view input);
  std::size_t feed_header(std::string_view input);
  std::size_t feed_beast(std::string_view input);

  HttpLimits limits;
  Request request;
  BeastParser beast;
  State state = State::needs_more;
  Refusal refusal;
  std::size_t looked_at = 0;  // of a header that is not whole
  bool header_done = false;
  bool http10 = false;
  bool chunked = false;
  bool expects_continue = false;
};

std::size_t RequestParser::Progress::find_header_end(std::string_view input) {
  const std::string_view window = input.substr(0, limits.header_bytes);
  for (auto at = window.find('\n', looked_at); at != std::string_view::npos;
       at = window.find('\n', at + 1)) {
    if (at == 0 || window[at - 1] != '\r') {
      refuse(400, "A line ends without a carriage return.");
      return 0;
    }
    if (at == 1) {
      refuse(400, "An empty line stands before the request.");
      return 0;
    }
    if (window.substr(0, at + 1).ends_with("\r\n\r\n")) return at + 1;
  }
  looked_at = window.size();
  if (input.size() < limits.header_bytes) return 0;
  if (window.find('\n') == std::string_view::npos) {
    refuse(414, "The request line is too long.");
  } else {
    refuse(431, "The header is too large.");
  }
  return 0;
}

std::size_t RequestParser::Progress::feed_header(std::string_view input) {
  const std::size_t size = find_header_end(input);
  if (size == 0) return 0;
  auto outcome = scan_head(input.substr(0, size), limits);
  if (auto* found = std::get_if<Refusal>(&outcome)) {
    refuse(found->status, std::move(found->reason));
    return 0;
  }
  const RequestHead& head = std::get<RequestHead>(outcome);
  http10 = head.http10;
  chunked = head.chunked;
  expects_continue = head.expects_continue;
  header_done = true;
  const std::size_t taken = feed_beast(input.substr(0, size));
  // Beast must see the same end as the scan; if it does not, neither is to be trusted.
  if (state != State::refused && taken != size) refuse(400, "The header cannot be read.");
  return taken;
}

std::size_t RequestParser::Progress::feed_beast(std::string_view input) {
  ErrorCode ec;
  const std::size_t taken = beast.put(boost::asio::const_buffer(input.data(), input.size()), ec);
  if (ec && ec != http::error::need_more) {
    if (ec == http::error::body_limit) {
      refuse(413, "The body is too large.");
    } else {
      refuse(400, beast.is_header_done() ? "The body is not well-formed."
                                         : "The header is not well-formed.");
    }
    return taken;
  }
  if (beast.is_done()) state = State::complete;
  return taken;
}

RequestParser::RequestParser(const HttpLimits& limits)
    : progress_(std::make_unique<Progress>(limits)) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

std::size_t RequestParser::feed(std::string_view input) {
  Progress& p = *progress_;
  std::size_t taken = 0;
  if (!p.header_done) {
    taken = p.feed_header(input);
    input.remove_prefix(taken);
  }
  while (p.header_done && p.state == State::needs_more && !input.empty()) {
    if (p.chunked && input.size() < kShortestChunkedRest) break;
    // Beast takes a chunk header or the trailer only whole; seen through a window it has a bound,
    // the same however the bytes arrive.
    const std::string_view window = p.chunked ? input.substr(0, p.limits.header_bytes) : input;
    const std::size_t of_body = p.feed_beast(window);
    taken += of_body;
    input.remove_prefix(of_body);
    if (of_body > 0) continue;
    if (p.state == State::needs_more && window.size() == p.limits.header_bytes) {
      p.refuse(431, "A chunk header or the trailer is too large.");
    }
    break;
  }
  return taken;
}

RequestParser::State RequestParser::state() const noexcept { return progress_->state; }
const Refusal& RequestParser::refusal() const { return progress_->refusal; }
Request& RequestParser::request() { return progress_->request; }

bool RequestParser::awaits_continue() const {
  return progress_->expects_continue && progress_->state == State::needs_more &&
         progress_->request.body.empty();
}

bool RequestParser::is_http10() const { return progress_->http10; }
bool RequestParser::keeps_alive() const { return progress_->beast.keep_alive(); }

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

}  // namespace ratls::server
