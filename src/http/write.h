// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/scan.h"
#include "ratls/http.h"
#include "ratls/time.h"

namespace ratls::http {

/// Persistence is what an answer says about the connection after it.
enum class Persistence { keep_alive, keep_alive_http10, close };

/// write_status_line appends "HTTP/1.1 200 OK" and a line end.
void write_status_line(std::string& out, int status);

/// write_head appends the status line and the header of an answer up to the empty line. Framing is
/// the server's: Content-Length, Transfer-Encoding, Connection and Date of the response are left
/// out, and so is X-Request-Id, which is the server's too. body_bytes is what Content-Length says.
void write_head(std::string& out, const Response& response, std::size_t body_bytes,
                Persistence persistence, std::string_view date, std::string_view request_id);

/// is_sendable tells a response that cannot break the framing: a final status, names that are
/// tokens, values without control characters.
bool is_sendable(const Response& response);

/// may_have_body is false for 204 and 304 (RFC 9110 6.4.1).
bool may_have_body(int status);

/// refusal_response is {"error": "..."}, with "request_id" unless that is empty.
Response refusal_response(const Refusal& refusal, std::string_view request_id = {});

/// http_date writes "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(UnixTime time);

/// reason_phrase gives the words of RFC 9110 15, or none.
std::string_view reason_phrase(int status);

}  // namespace ratls::http
