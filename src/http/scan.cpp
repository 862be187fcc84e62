// SPDX-License-Identifier: Apache-2.0
#include "http/scan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/text.h"

namespace ratls::http {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
// RFC 3986 3.2.2 and 3.2.3: what a host, an IP literal and a port are written with.
constexpr std::string_view kHostMarks = "-._~%!$&'()*+,;=:[]";

constexpr bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_visible_ascii(char c) { return c > 0x20 && c < 0x7f; }

/// CharSet looks a byte up: every byte of every header goes through one.
class CharSet {
 public:
  template <class Contains>
  explicit constexpr CharSet(Contains contains) {
    for (std::size_t byte = 0; byte < contains_.size(); ++byte) {
      contains_[byte] = contains(static_cast<char>(byte));
    }
  }
  constexpr bool operator()(char c) const { return contains_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> contains_{};
};

constexpr CharSet kTokenChars([](char c) {
  return is_alphanumeric(c) || kTokenMarks.find(c) != std::string_view::npos;
});
constexpr CharSet kHostChars([](char c) {
  return is_alphanumeric(c) || kHostMarks.find(c) != std::string_view::npos;
});
// RFC 9110 5.5, with what is above ASCII.
constexpr CharSet kFieldValueChars([](char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
});

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// take_line gives the text before the next CRLF and moves behind it.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find(kCrlf);
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + kCrlf.size());
  return line;
}

using Objection = std::optional<Refusal>;

struct Field {
  std::string_view name;
  std::string_view value;
};

std::variant<Field, Refusal> read_field(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t')) {
    return Refusal{400, "A folded header line is not allowed."};  // RFC 9112 5.2
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return Refusal{400, "A header line has no colon."};
  const Field field{line.substr(0, colon), trim(line.substr(colon + 1))};
  // This refuses white space before the colon too (RFC 9112 5.1).
  if (!is_token(field.name)) return Refusal{400, "A header name is not a token."};
  if (!is_field_value(field.value)) {
    return Refusal{400, "A header value has control characters in it."};
  }
  return field;
}

/// FramingScan reads the two headers that say where a body ends.
class FramingScan {
 public:
  [[nodiscard]] Objection take(const Field& field);
  /// finish says where the body of a message ends whose version is known.
  [[nodiscard]] Objection finish(Framing& message) const;

 private:
  [[nodiscard]] Objection content_length(std::string_view value);
  [[nodiscard]] Objection transfer_encoding(std::string_view value);

  std::optional<std::uint64_t> content_length_;
  bool chunked_ = false;
  bool has_transfer_encoding_ = false;
};

Objection FramingScan::take(const Field& field) {
  if (equal_ignoring_case(field.name, "content-length")) return content_length(field.value);
  if (equal_ignoring_case(field.name, "transfer-encoding")) return transfer_encoding(field.value);
  return {};
}

Objection FramingScan::finish(Framing& message) const {
  if (content_length_ && has_transfer_encoding_) {
    return Refusal{400, "Content-Length and Transfer-Encoding are both there."};
  }
  if (has_transfer_encoding_ && message.http10) {
    return Refusal{400, "HTTP/1.0 has no Transfer-Encoding."};
  }
  message.content_length = content_length_;
  message.chunked = chunked_;
  return {};
}

Objection FramingScan::content_length(std::string_view value) {
  if (content_length_) return Refusal{400, "Content-Length is there twice."};
  if (value.empty() || !std::ranges::all_of(value, is_digit)) {
    return Refusal{400, "Content-Length is not a number."};
  }
  std::uint64_t length = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
  if (parsed.ec != std::errc()) return Refusal{413, "The body is too large."};
  content_length_ = length;
  return {};
}

Objection FramingScan::transfer_encoding(std::string_view value) {
  if (has_transfer_encoding_) return Refusal{400, "Transfer-Encoding is there twice."};
  has_transfer_encoding_ = true;
  if (equal_ignoring_case(value, "chunked")) {
    chunked_ = true;
    return {};
  }
  // RFC 9112 6.1 and 6.3: a coding that is not known is 501, a list that does not end in chunked
  // leaves the length of the body open and is 400.
  const auto comma = value.rfind(',');
  if (comma == std::string_view::npos ||
      !equal_ignoring_case(trim(value.substr(comma + 1)), "chunked")) {
    return Refusal{400, "Transfer-Encoding does not end in chunked."};
  }
  std::string_view codings = value.substr(0, comma);
  while (!codings.empty()) {
    const auto end = codings.find(',');
    const std::string_view coding = trim(codings.substr(0, end));
    if (!is_token(coding) || equal_ignoring_case(coding, "chunked")) {
      return Refusal{400, "Transfer-Encoding is not a list of codings that ends in chunked."};
    }
    codings.remove_prefix(end == std::string_view::npos ? codings.size() : end + 1);
  }
  return Refusal{501, "No transfer coding but chunked is known."};
}

class RequestScan {
 public:
  explicit RequestScan(const HttpLimits& limits) : limits_(limits) {}

  [[nodiscard]] Objection request_line(std::string_view line);
  [[nodiscard]] Objection field(std::string_view line);
  [[nodiscard]] Objection finish();
  const RequestHead& head() const { return head_; }

 private:
  [[nodiscard]] Objection version(std::string_view text);
  [[nodiscard]] Objection target(std::string_view text);
  [[nodiscard]] Objection host(std::string_view value);
  [[nodiscard]] Objection expect(std::string_view value);

  HttpLimits limits_;
  RequestHead head_;
  FramingScan framing_;
  bool has_host_ = false;
  bool has_unknown_expectation_ = false;
};

Objection RequestScan::request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) {
    return Refusal{400, "The request line is not METHOD TARGET VERSION."};
  }
  head_.method = line.substr(0, first);
  head_.target = line.substr(first + 1, second - first - 1);
  if (!is_token(head_.method)) return Refusal{400, "The method is not a token."};
  if (auto objection = version(line.substr(second + 1))) return objection;
  return target(head_.target);
}

Objection RequestScan::version(std::string_view text) {
  head_.http10 = text == "HTTP/1.0";
  if (head_.http10 || text == "HTTP/1.1") return {};
  const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                           text[6] == '.' && is_digit(text[7]);
  if (well_formed) return Refusal{505, "This server speaks HTTP/1.1."};
  return Refusal{400, "The request line does not end with an HTTP version."};
}

Objection RequestScan::target(std::string_view text) {
  // A fragment is not part of a target (RFC 9112 3.2).
  if (!std::ranges::all_of(text, is_visible_ascii) || text.find('#') != std::string_view::npos) {
    return Refusal{400, "The request target has characters that are not allowed in it."};
  }
  const bool asterisk = text == "*" && head_.method == "OPTIONS";
  if (!asterisk && !path_of(text).starts_with('/')) {
    return Refusal{400, "The request target is neither a path nor an http address."};
  }
  return {};
}

Objection RequestScan::field(std::string_view line) {
  const auto read = read_field(line);
  if (const auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
  const Field& field = std::get<Field>(read);
  if (auto objection = framing_.take(field)) return objection;
  if (equal_ignoring_case(field.name, "host")) return host(field.value);
  if (equal_ignoring_case(field.name, "expect")) return expect(field.value);
  return {};
}

Objection RequestScan::host(std::string_view value) {
  if (has_host_) return Refusal{400, "Host is there twice."};
  has_host_ = true;
  if (!is_host(value)) return Refusal{400, "Host is not a host name."};
  return {};
}

Objection RequestScan::expect(std::string_view value) {
  if (equal_ignoring_case(value, "100-continue")) {
    head_.expects_continue = true;
  } else {
    has_unknown_expectation_ = true;
  }
  return {};
}

Objection RequestScan::finish() {
  if (!has_host_ && !head_.http10) return Refusal{400, "Host is missing."};
  if (auto objection = framing_.finish(head_)) return objection;
  if (head_.content_length.value_or(0) > limits_.body_bytes) {
    return Refusal{413, "The body is too large."};
  }
  // RFC 9110 10.1.1: an HTTP/1.0 client does not wait for 100.
  if (head_.http10) {
    head_.expects_continue = false;
  } else if (has_unknown_expectation_) {
    return Refusal{417, "No expectation but 100-continue is known."};
  }
  return {};
}

class ResponseScan {
 public:
  [[nodiscard]] Objection status_line(std::string_view line);
  [[nodiscard]] Objection field(std::string_view line);
  [[nodiscard]] Objection finish() { return framing_.finish(head_); }
  const ResponseHead& head() const { return head_; }

 private:
  ResponseHead head_;
  FramingScan framing_;
};

Objection ResponseScan::status_line(std::string_view line) {
  head_.http10 = line.starts_with("HTTP/1.0 ");
  if (!head_.http10 && !line.starts_with("HTTP/1.1 ")) {
    return Refusal{502, "The status line does not begin with HTTP/1.1."};
  }
  const std::string_view rest = line.substr(9);
  const std::string_view status = rest.substr(0, 3);
  const bool ends = rest.size() > 3 && rest[3] == ' ' && is_field_value(rest.substr(4));
  if (!ends || !std::ranges::all_of(status, is_digit) || status[0] < '1' || status[0] > '5') {
    return Refusal{502, "The status line has no status from 100 to 599 and no phrase after it."};
  }
  head_.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  return {};
}

Objection ResponseScan::field(std::string_view line) {
  const auto read = read_field(line);
  if (const auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
  return framing_.take(std::get<Field>(read));
}

/// scan_block takes the first line and the fields of a header block.
template <class Scan, class FirstLine>
Objection scan_block(std::string_view block, Scan& scan, FirstLine first_line) {
  if (!block.ends_with("\r\n\r\n")) return Refusal{400, "The header has no end."};
  if (auto objection = (scan.*first_line)(take_line(block))) return objection;
  while (block != kCrlf) {
    if (block.empty()) return Refusal{400, "The header has no end."};
    if (auto objection = scan.field(take_line(block))) return objection;
  }
  return scan.finish();
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, kTokenChars);
}

bool is_field_value(std::string_view text) { return std::ranges::all_of(text, kFieldValueChars); }

bool is_host(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, kHostChars);
}

std::string_view path_of(std::string_view target) {
  if (!target.starts_with('/')) {
    // RFC 9112 3.2.2: a server takes the absolute form as well.
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos) return target;
    const std::string_view name = target.substr(0, scheme);
    if (!equal_ignoring_case(name, "https") && !equal_ignoring_case(name, "http")) return target;
    target.remove_prefix(scheme + 3);
    const auto path = target.find_first_of("/?");
    if (path == std::string_view::npos || target[path] == '?') return "/";
    target.remove_prefix(path);
  }
  return target.substr(0, target.find('?'));
}

std::variant<RequestHead, Refusal> scan_request_head(std::string_view block,
                                                     const HttpLimits& limits) {
  RequestScan scan(limits);
  if (auto objection = scan_block(block, scan, &RequestScan::request_line)) return *objection;
  return scan.head();
}

std::variant<ResponseHead, Refusal> scan_response_head(std::string_view block) {
  ResponseScan scan;
  if (const auto objection = scan_block(block, scan, &ResponseScan::status_line)) {
    return Refusal{502, objection->reason};
  }
  return scan.head();
}

}  // namespace ratls::http
