// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "http/scan.h"
#include "ratls/http.h"

namespace ratls::http {

/// ResponseParser reads one response of an app as its bytes arrive, as strictly as RequestParser
/// reads requests. An interim response (1xx, RFC 9110 15.2) is a message of its own, complete with
/// its header. Thread-safety: none.
class ResponseParser {
 public:
  enum class State { needs_more, complete, refused };

  /// header_bytes bounds the header block; a body has no limit, because it is taken as it arrives.
  /// to_head says that the request was HEAD, whose answer has no body.
  ResponseParser(std::size_t header_bytes, bool to_head);
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;
  ~ResponseParser();

  /// feed takes bytes from the front of input and says how many. Caller must still: give the others
  /// again, followed by what has arrived since, and not call it once the state is not needs_more.
  std::size_t feed(std::string_view input);
  /// end says that the app has closed the connection; that ends a body without a length.
  void end();

  State state() const noexcept;
  /// refusal says why the state is refused; its status is 502.
  Refusal refusal() const;
  /// header_done is true once the header is whole and accepted.
  bool header_done() const;
  /// response is what has been read. Caller may take the body that has arrived, to stream it.
  Response& response();
  const Framing& framing() const;
  /// keeps_alive says whether the connection can carry another request after this response.
  bool keeps_alive() const;

 private:
  struct Progress;
  std::unique_ptr<Progress> progress_;
};

}  // namespace ratls::http
