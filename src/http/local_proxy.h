// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ratls/error.h"
#include "ratls/http.h"

// What a proxy on this machine, in plain HTTP, does to the messages between local programs and one
// server elsewhere. Pure functions.
namespace ratls::http {

/// LocalProxy is the two sides of a proxy, as Host headers have them. Thread-safety: a value.
struct LocalProxy {
  std::vector<std::string> names;  ///< hosts without port that it is called by, in lower case
  std::uint16_t port = 0;
  std::string server;  ///< host of the server's https origin, with a port that is not 443
};

/// Problem is why a request has no answer of the server's.
struct Problem {
  int status = 502;
  Error error;
  std::string hint = {};  ///< in place of the code's
};

/// check_local_request refuses what is not for this proxy: a Host, or the authority of an absolute
/// form, that is none of its names (a page whose name was made to lead here; a proxy setting), and
/// what a page of another origin asks for (Sec-Fetch-Site, Origin, Referer). Names below .localhost
/// are this machine's (RFC 6761 6.3) wherever localhost is a name.
std::optional<Problem> check_local_request(const Request& request, const LocalProxy& proxy);

/// headers_for_server are the headers of a request that was let through: Host is the server's, and
/// so are Origin and Referer where they name the proxy.
Headers headers_for_server(const Request& request, const LocalProxy& proxy);

/// make_local changes an answer's headers so that they mean for the proxy, called by local_host,
/// what they mean for the server: a Location within the server's origin, the Domain and Secure of
/// cookies. What speaks of the server's https and what only we may say is left out.
void make_local(Headers& headers, const LocalProxy& proxy, std::string_view local_host);

/// wants_html tells a request of a browser for a page.
bool wants_html(const Request& request);

/// problem_response is the problem as JSON (RFC 9457) or, for a browser, as a page, with its code
/// in X-Ratls-Error.
Response problem_response(const Problem& problem, std::string_view request_id, bool as_html);

}  // namespace ratls::http
