// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <string>
#include <string_view>

#include "http/scan.h"

namespace ratls::http {

/// BeastParser writes what Boost.Beast finds straight into a Message.
template <bool kIsRequest, class Message>
class BeastParser final : public boost::beast::http::basic_parser<kIsRequest> {
  using ErrorCode = boost::beast::error_code;
  using View = boost::beast::string_view;

 public:
  explicit BeastParser(Message& message) : message_(message) {
    this->eager(true);
    message_.headers.reserve(kUsualHeaders);
  }

 private:
  static constexpr std::size_t kUsualHeaders = 8;

  static std::string_view plain(View text) { return {text.data(), text.size()}; }

  void on_request_impl(boost::beast::http::verb, View method, View target, int,
                       ErrorCode& ec) override {
    if constexpr (kIsRequest) {
      ec = {};
      message_.method = plain(method);
      message_.target = plain(target);
    } else {
      ec = boost::beast::http::error::bad_method;
    }
  }
  void on_response_impl(int status, View, int, ErrorCode& ec) override {
    if constexpr (kIsRequest) {
      ec = boost::beast::http::error::bad_method;
    } else {
      ec = {};
      message_.status = status;
    }
  }
  void on_field_impl(boost::beast::http::field, View name, View value, ErrorCode& ec) override {
    ec = {};
    // What comes after the body must not look like a header that was checked before it.
    if (!in_header_) return;
    message_.headers.emplace_back(plain(name), plain(value));
  }
  void on_header_impl(ErrorCode& ec) override {
    ec = {};
    in_header_ = false;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode& ec) override { ec = {}; }
  // Memory follows what has arrived, not what was announced.
  std::size_t on_body_impl(View body, ErrorCode& ec) override {
    ec = {};
    message_.body.append(plain(body));
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, ErrorCode& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, View body, ErrorCode& ec) override {
    return on_body_impl(body, ec);
  }
  void on_finish_impl(ErrorCode& ec) override { ec = {}; }

  Message& message_;
  bool in_header_ = true;
};

/// MessageReader reads one message as its bytes arrive: our scan decides about the header block,
/// then Beast takes it apart and undoes chunking. Trailer fields are checked and dropped.
/// Thread-safety: none.
template <bool kIsRequest, class Message>
class MessageReader {
 public:
  enum class State { needs_more, complete, refused };

  explicit MessageReader(const HttpLimits& limits) : limits_(limits), beast_(message_) {
    // The scan decides about the size of the header first, in our words.
    beast_.header_limit(static_cast<std::uint32_t>(
        std::min<std::size_t>(limits.header_bytes, std::numeric_limits<std::uint32_t>::max())));
    beast_.body_limit(limits.body_bytes);
  }

  /// feed takes bytes from the front of input and says how many; scan is asked about the header
  /// block, once, and gives a Refusal or nothing.
  template <class Scan>
  std::size_t feed(std::string_view input, Scan scan);
  /// end says that the sender has closed the connection.
  void end();

  State state() const { return state_; }
  const Refusal& refusal() const { return refusal_; }
  bool header_done() const { return header_done_; }
  Message& message() { return message_; }
  const Message& message() const { return message_; }
  /// beast tells what follows from the header, and takes settings before it.
  BeastParser<kIsRequest, Message>& beast() { return beast_; }
  const BeastParser<kIsRequest, Message>& beast() const { return beast_; }

 private:
  // Beast asserts that the last chunk has at least this many bytes when it comes back to it
  // ("0" CRLF CRLF); no valid rest of a chunked body is shorter.
  static constexpr std::size_t kShortestChunkedRest = 5;

  void refuse(int status, std::string reason) {
    refusal_ = {status, std::move(reason)};
    state_ = State::refused;
  }
  /// find_header_end gives the size of the header block, or 0 when it is not whole.
  std::size_t find_header_end(std::string_view input);
  template <class Scan>
  std::size_t feed_header(std::string_view input, Scan scan);
  std::size_t feed_beast(std::string_view input);

  HttpLimits limits_;
  Message message_;
  BeastParser<kIsRequest, Message> beast_;
  State state_ = State::needs_more;
  Refusal refusal_;
  std::size_t looked_at_ = 0;  // of a header that is not whole
  bool header_done_ = false;
};

template <bool kIsRequest, class Message>
std::size_t MessageReader<kIsRequest, Message>::find_header_end(std::string_view input) {
  const std::string_view window = input.substr(0, limits_.header_bytes);
  for (auto at = window.find('\n', looked_at_); at != std::string_view::npos;
       at = window.find('\n', at + 1)) {
    if (at == 0 || window[at - 1] != '\r') {
      refuse(400, "A line ends without a carriage return.");
      return 0;
    }
    if (at == 1) {
      refuse(400, "An empty line stands before the first line.");
      return 0;
    }
    if (window.substr(0, at + 1).ends_with("\r\n\r\n")) return at + 1;
  }
  looked_at_ = window.size();
  if (input.size() < limits_.header_bytes) return 0;
  if (window.find('\n') == std::string_view::npos) {
    refuse(414, "The first line is too long.");
  } else {
    refuse(431, "The header is too large.");
  }
  return 0;
}

template <bool kIsRequest, class Message>
template <class Scan>
std::size_t MessageReader<kIsRequest, Message>::feed_header(std::string_view input, Scan scan) {
  const std::size_t size = find_header_end(input);
  if (size == 0) return 0;
  if (std::optional<Refusal> refusal = scan(input.substr(0, size))) {
    refuse(refusal->status, std::move(refusal->reason));
    return 0;
  }
  header_done_ = true;
  const std::size_t taken = feed_beast(input.substr(0, size));
  // Beast must see the same end as the scan; if it does not, neither is to be trusted.
  if (state_ != State::refused && taken != size) refuse(400, "The header cannot be read.");
  return taken;
}

template <bool kIsRequest, class Message>
std::size_t MessageReader<kIsRequest, Message>::feed_beast(std::string_view input) {
  boost::beast::error_code ec;
  const std::size_t taken = beast_.put(boost::asio::const_buffer(input.data(), input.size()), ec);
  if (ec && ec != boost::beast::http::error::need_more) {
    if (ec == boost::beast::http::error::body_limit) {
      refuse(413, "The body is too large.");
    } else {
      refuse(400, beast_.is_header_done() ? "The body is not well-formed."
                                          : "The header is not well-formed.");
    }
    return taken;
  }
  if (beast_.is_done()) state_ = State::complete;
  return taken;
}

template <bool kIsRequest, class Message>
template <class Scan>
std::size_t MessageReader<kIsRequest, Message>::feed(std::string_view input, Scan scan) {
  std::size_t taken = 0;
  if (!header_done_) {
    taken = feed_header(input, scan);
    input.remove_prefix(taken);
  }
  while (header_done_ && state_ == State::needs_more && !input.empty()) {
    const bool chunked = beast_.chunked();
    if (chunked && input.size() < kShortestChunkedRest) break;
    // Beast takes a chunk header or the trailer only whole; seen through a window it has a bound,
    // the same however the bytes arrive.
    const std::string_view window = chunked ? input.substr(0, limits_.header_bytes) : input;
    const std::size_t of_body = feed_beast(window);
    taken += of_body;
    input.remove_prefix(of_body);
    if (of_body > 0) continue;
    if (state_ == State::needs_more && window.size() == limits_.header_bytes) {
      refuse(431, "A chunk header or the trailer is too large.");
    }
    break;
  }
  return taken;
}

template <bool kIsRequest, class Message>
void MessageReader<kIsRequest, Message>::end() {
  if (state_ != State::needs_more) return;
  boost::beast::error_code ec;
  if (header_done_ && beast_.need_eof()) beast_.put_eof(ec);
  if (!ec && beast_.is_done()) {
    state_ = State::complete;
  } else {
    refuse(400, "The message is not whole.");
  }
}

}  // namespace ratls::http
