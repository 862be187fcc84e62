// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/url.h"
#include "ratls/client.h"

namespace ratls::client {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Message is a request as it is sent to one URL. make_message has checked it.
struct Message {
  Url url;
  std::string method;
  Headers headers;
  std::string body;

  /// repeatable says whether sending it twice does what sending it once does (RFC 9110 9.2.2).
  bool repeatable() const;
};

/// make_message refuses what would let a method or header write other lines into the request, and
/// the headers that frame the body. Errors: usage, url_invalid.
Result<Message> make_message(const Url& base, const ClientRequest& request);

/// redirect makes message the request that follows an answer with this status and Location.
/// Errors: redirect_refused.
Result<void> redirect(Message& message, int status, const std::string& location);

/// AnswerHead collects the lines of status and headers as libcurl hands them over; only those of
/// the newest response stay: interim ones (1xx) and trailers are dropped.
class AnswerHead {
 public:
  /// add takes one line. Errors: answer_too_large; connection_closed for a transfer coding other
  /// than chunked.
  Result<void> add(std::string_view line);

  /// begun is true once a response has started, complete once the head of a final one has ended.
  bool begun() const noexcept { return status_ != 0; }
  bool complete() const noexcept { return place_ == Place::after; }
  int status() const noexcept { return status_; }
  const Headers& headers() const noexcept { return headers_; }

 private:
  Result<void> add_header(std::string_view line);

  enum class Place { before, inside, after };
  Place place_ = Place::before;
  std::size_t size_ = 0;
  int status_ = 0;
  Headers headers_;
};

/// redirect_location is the Location of an answer that asks to be followed; empty otherwise.
std::string redirect_location(int status, const Headers& headers);

/// is_chunked says whether the body's own chunks tell its end (RFC 9112 7.1).
bool is_chunked(const Headers& headers);

/// find_header gives the first value of a header, in any spelling; empty when there is none.
std::string_view find_header(const Headers& headers, std::string_view name);

}  // namespace ratls::client
