// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace ratls::http {

/// Refusal is why a request is not served: the status of the answer and a sentence for the client.
struct Refusal {
  int status = 400;
  std::string reason;
};

/// HttpLimits bounds what one request may take.
struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;  ///< request line, header fields and the empty line
  std::size_t body_bytes = 16 * 1024 * 1024;
};

/// Framing is what a header block says about where the body ends.
struct Framing {
  bool http10 = false;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
};

/// RequestHead is what a header block says about the request and its framing. The views point into
/// the block.
struct RequestHead : Framing {
  std::string_view method;
  std::string_view target;
  bool expects_continue = false;
};

/// ResponseHead is the same for a response.
struct ResponseHead : Framing {
  int status = 0;
};

/// scan_request_head checks a whole header block, from the request line to the empty line, so that
/// there is one way only to read where the request ends. It is stricter than RFC 9112 where that
/// lets a server choose: no empty line before the request line (2.2), no line folding (5.2), no
/// equal Content-Length twice (6.3), and no other transfer coding than chunked.
std::variant<RequestHead, Refusal> scan_request_head(std::string_view block,
                                                     const HttpLimits& limits);

/// scan_response_head does so for a response; what it refuses has the status 502.
std::variant<ResponseHead, Refusal> scan_response_head(std::string_view block);

/// path_of is the path of a target in origin form or absolute form, without the query.
std::string_view path_of(std::string_view target);

/// is_token tells a method or header name (RFC 9110 5.6.2).
bool is_token(std::string_view text);
/// is_field_value tells text without control characters other than the tab (RFC 9110 5.5).
bool is_field_value(std::string_view text);
/// is_host tells text that a Host header may have (RFC 9112 3.2).
bool is_host(std::string_view text);

}  // namespace ratls::http
