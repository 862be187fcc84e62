// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ratls/result.h"

namespace ratls::client {

/// Url is an absolute https URL as libcurl's own parser reads it, so that what is checked is what
/// is connected to. Thread-safety: a value.
struct Url {
  std::string origin;  ///< "https://host:8000", the port always there
  std::string host;    ///< without the brackets of an IPv6 address
  std::string path;    ///< begins with a slash, as sent
  std::string query;   ///< with its question mark, or empty

  std::string text() const { return origin + path + query; }
};

/// parse_url reads https URLs only: a host, no user or password, no spaces or control characters.
/// A fragment is dropped. Errors: url_invalid.
Result<Url> parse_url(const std::string& text);

/// at_path appends a request's path, which begins with a slash and may have a query, to base; an
/// empty one gives base itself. Errors: url_invalid.
Result<Url> at_path(const Url& base, const std::string& path);

/// redirected gives where a Location of an answer from current leads. Errors: redirect_refused for
/// another origin and for what is no URL.
Result<Url> redirected(const Url& current, const std::string& location);

}  // namespace ratls::client
