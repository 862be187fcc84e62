// SPDX-License-Identifier: Apache-2.0
#include "client/message.h"

#include <algorithm>
#include <array>

#include "client/text.h"

namespace ratls::client {
namespace {

constexpr std::size_t kMaxHeadSize = 256 * 1024;

// libcurl writes these from the body that it is given; another word about its length would let a
// body be read as a second request.
constexpr std::array<std::string_view, 4> kFramingHeaders = {"content-length", "transfer-encoding",
                                                             "upgrade", "trailer"};

Result<void> check_header(const std::string& name, const std::string& value) {
  const std::string where = "header \"" + printable(name) + "\"";
  if (!is_token(name)) return Error(Code::usage, where, "the name is no token of RFC 9110");
  if (std::ranges::any_of(value, [](char c) { return is_control(c) && c != '\t'; })) {
    return Error(Code::usage, where, "the value holds a control character");
  }
  for (const std::string_view framing : kFramingHeaders) {
    if (equal_ignoring_case(name, framing)) {
      return Error(Code::usage, where, "the client writes this header itself");
    }
  }
  return {};
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

int parse_status(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  int status = 0;
  for (const char c : line.substr(space + 1, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

// RFC 9110 5.5: control characters in a value are dangerous to whoever prints or forwards it.
std::string clean_value(std::string_view value) {
  std::string out(trimmed(value));
  std::ranges::replace_if(
      out, [](char c) { return is_control(c) && c != '\t'; }, ' ');
  return out;
}

}  // namespace

bool Message::repeatable() const {
  constexpr std::array<std::string_view, 6> kIdempotent = {"GET",    "HEAD",    "PUT",
                                                           "DELETE", "OPTIONS", "TRACE"};
  return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

Result<Message> make_message(const Url& base, const ClientRequest& request) {
  // CONNECT asks for a tunnel, not for an answer (RFC 9110 9.3.6).
  if (!is_token(request.method) || request.method == "CONNECT") {
    return Error(Code::usage, "method", "\"" + printable(request.method) + "\" cannot be sent");
  }
  if (request.method == "HEAD" && !request.body.empty()) {
    return Error(Code::usage, "body", "HEAD has none");
  }
  for (const auto& [name, value] : request.headers) RATLS_CHECK(check_header(name, value));
  RATLS_TRY(Url url, at_path(base, request.path));
  return Message{.url = std::move(url),
                 .method = request.method,
                 .headers = request.headers,
                 .body = request.body};
}

// RFC 9110 15.4: 307 and 308 repeat the request; after the others a GET fetches the result.
Result<void> redirect(Message& message, int status, const std::string& location) {
  RATLS_TRY(message.url, redirected(message.url, location));
  if (status == 307 || status == 308) return {};
  if (message.method != "HEAD") message.method = "GET";
  message.body.clear();
  std::erase_if(message.headers, [](const auto& header) {
    return equal_ignoring_case(std::string_view(header.first).substr(0, 8), "content-");
  });
  return {};
}

Result<void> AnswerHead::add(std::string_view line) {
  size_ += line.size();
  if (size_ > kMaxHeadSize) {
    return Error(Code::answer_too_large, "headers",
                 "more than " + std::to_string(kMaxHeadSize) + " bytes");
  }
  if (place_ == Place::after) return {};  // a trailer
  if (place_ == Place::before || line.starts_with("HTTP/")) {
    status_ = parse_status(line);
    headers_.clear();
    place_ = Place::inside;
  } else if (trimmed(line).empty()) {
    // RFC 9110 15.2: an interim response is not the answer.
    place_ = status_ >= 200 ? Place::after : Place::before;
  } else {
    return add_header(line);
  }
  return {};
}

Result<void> AnswerHead::add_header(std::string_view line) {
  // RFC 9112 5.2: a folded line continues the value before it.
  if (line.front() == ' ' || line.front() == '\t') {
    if (!headers_.empty()) headers_.back().second += " " + clean_value(line);
    return {};
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return {};
  headers_.emplace_back(line.substr(0, colon), clean_value(line.substr(colon + 1)));
  // RFC 9112 7.4: nobody has asked for another one. libcurl undoes compression here, five times
  // over and of interim answers too, and does not see a coding on a folded line.
  const auto& [name, value] = headers_.back();
  if (!equal_ignoring_case(name, "transfer-encoding") || equal_ignoring_case(value, "chunked")) {
    return {};
  }
  return Error(Code::connection_closed, "transfer-encoding", "only chunked is taken");
}

std::string redirect_location(int status, const Headers& headers) {
  return is_redirect(status) ? std::string(find_header(headers, "location")) : "";
}

bool is_chunked(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!equal_ignoring_case(name, "transfer-encoding")) continue;
    const std::size_t last = value.rfind(',');
    const std::string_view coding = std::string_view(value).substr(last + 1);
    if (equal_ignoring_case(trimmed(coding), "chunked")) return true;
  }
  return false;
}

std::string_view find_header(const Headers& headers, std::string_view name) {
  for (const auto& [each, value] : headers) {
    if (equal_ignoring_case(each, name)) return value;
  }
  return {};
}

}  // namespace ratls::client
