// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "http/scan.h"
#include "ratls/http.h"

namespace ratls::http {

/// RequestParser reads one request as its bytes arrive: scan_request_head decides about the header
/// block, then Boost.Beast takes it apart and undoes chunking. Trailer fields are checked and
/// dropped. Thread-safety: none.
class RequestParser {
 public:
  enum class State { needs_more, complete, refused };

  explicit RequestParser(const HttpLimits& limits);
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  ~RequestParser();

  /// feed takes bytes from the front of input and says how many. Caller must still: give the others
  /// again, followed by what has arrived since, and not call it once the state is not needs_more.
  std::size_t feed(std::string_view input);

  State state() const noexcept;
  /// refusal says why the state is refused.
  const Refusal& refusal() const;
  /// request is what has been read; whole when the state is complete. Caller may take the body
  /// that has arrived, to stream it.
  Request& request();

  /// awaits_continue is true while the client waits for "100 Continue" before it sends the body.
  bool awaits_continue() const;
  /// header_done is true once the header is whole and accepted: what follows is known from then on.
  bool header_done() const;
  const Framing& framing() const;
  bool keeps_alive() const;

 private:
  struct Progress;
  std::unique_ptr<Progress> progress_;
};

/// parse_request reads bytes that begin with one whole request.
std::variant<Request, Refusal> parse_request(std::string_view bytes, const HttpLimits& limits);

}  // namespace ratls::http
