// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/local_proxy.h"
#include "http/request_parser.h"
#include "http/write.h"

// What a gateway changes in messages that it passes on (RFC 9110 7.6). Pure functions.
namespace ratls::http {

/// wants_websocket tells a request to change to the WebSocket protocol (RFC 6455 4.1), the only
/// upgrade that is passed on.
bool wants_websocket(const Request& request, const Framing& framing);

/// agrees_to_websocket tells the answer that begins a WebSocket: 101 with the right headers.
bool agrees_to_websocket(const Response& response);

/// write_forwarded_request appends the header block that an app gets: the target in origin form,
/// the client's headers without those of its hop and without what only a proxy may say
/// (Forwarded, X-Forwarded-*, X-Real-IP, X-Ratls-*, X-Request-Id, in spellings with "_" too), then
/// our own Forwarded (RFC 7239), X-Forwarded-*, X-Request-Id and Via. The body follows as framing
/// says: a Content-Length as it came, or chunked. request.peer is ADDRESS:PORT. A local proxy
/// speaks for the client alone: the server gets headers_for_server and Via, and nothing about the
/// client.
void write_forwarded_request(std::string& out, const Request& request, const Framing& framing,
                             const LocalProxy* local = nullptr);

/// BodyFraming is how the body of a forwarded answer reaches the client.
enum class BodyFraming { none, as_announced, chunked, until_close };

/// body_framing decides: as the app announced the length, else chunked, which HTTP/1.0 does not
/// know.
BodyFraming body_framing(const Response& response, const Framing& framing, bool to_head,
                         bool to_http10);

/// write_forwarded_answer appends the header block that the client gets. date is for an app that
/// sends none; request_id takes the place of the app's.
void write_forwarded_answer(std::string& out, const Response& response, const Framing& framing,
                            BodyFraming body, Persistence persistence, std::string_view date,
                            std::string_view request_id);

/// write_interim_answer appends an answer with a status of 1xx; for 101 with the headers that begin
/// a WebSocket, and request_id.
void write_interim_answer(std::string& out, const Response& response, std::string_view request_id);

/// write_chunk appends data as one chunk (RFC 9112 7.1); nothing when data is empty, because that
/// would end the body. write_last_chunk ends it.
void write_chunk(std::string& out, std::string_view data);
void write_last_chunk(std::string& out);

}  // namespace ratls::http
