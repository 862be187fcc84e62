// SPDX-License-Identifier: Apache-2.0
#include "client/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "client/text.h"

namespace ratls::client {
namespace {

struct FreeHandle {
  void operator()(CURLU* handle) const noexcept { curl_url_cleanup(handle); }
};
using Handle = std::unique_ptr<CURLU, FreeHandle>;

std::optional<std::string> part(const Handle& handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle.get(), which, &text, flags) != CURLUE_OK || text == nullptr) {
    return std::nullopt;
  }
  std::string out(text);
  curl_free(text);
  return out;
}

Error invalid(const std::string& text, std::string detail) {
  return Error(Code::url_invalid, printable(text), std::move(detail));
}

bool has_blank_or_control(const std::string& text) {
  return std::ranges::any_of(text, [](char c) { return c == ' ' || is_control(c); });
}

// libcurl has no part for an empty user name, as in "https://@host/".
bool has_userinfo(const std::string& text) {
  const std::size_t authority = text.find("//");
  if (authority == std::string::npos) return false;
  const std::size_t end = std::min(text.find_first_of("/?#", authority + 2), text.size());
  return text.substr(authority, end - authority).find('@') != std::string::npos;
}

Result<Url> read_parts(const Handle& handle, const std::string& text) {
  const auto host = part(handle, CURLUPART_HOST);
  const auto port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const auto path = part(handle, CURLUPART_PATH);
  if (!host || host->empty() || !port || !path) return invalid(text, "it names no host");
  const bool bracketed = host->starts_with('[') && host->ends_with(']');
  Url url{.origin = "",
          .host = bracketed ? host->substr(1, host->size() - 2) : *host,
          .path = *path,
          .query = ""};
  const std::string zone = part(handle, CURLUPART_ZONEID).value_or("");
  url.origin = "https://" + (zone.empty() ? *host : "[" + url.host + "%25" + zone + "]");
  url.origin += ":" + *port;
  if (const auto query = part(handle, CURLUPART_QUERY)) url.query = "?" + *query;
  return url;
}

}  // namespace

Result<Url> parse_url(const std::string& text) {
  if (has_blank_or_control(text)) {
    return invalid(text, "spaces and control characters must be percent-encoded");
  }
  // The text may hold a password: it is not repeated.
  if (has_userinfo(text)) return invalid("url", "it may not hold a user or password");
  const Handle handle(curl_url());
  if (handle == nullptr) return Error(Code::internal, "url", "out of memory");
  const CURLUcode code =
      curl_url_set(handle.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) return invalid(text, curl_url_strerror(code));
  // libcurl would also read "https:/host" and "https:///host".
  if (!equal_ignoring_case(std::string_view(text).substr(0, 8), "https://") ||
      text.substr(8).starts_with('/')) {
    return invalid(text, "it must begin with https:// and a host");
  }
  if (part(handle, CURLUPART_USER) || part(handle, CURLUPART_PASSWORD)) {
    return invalid("url", "it may not hold a user or password");
  }
  return read_parts(handle, text);
}

Result<Url> at_path(const Url& base, const std::string& path) {
  if (path.empty()) return base;
  if (!path.starts_with('/')) return invalid(path, "a request's path must begin with a slash");
  if (!base.query.empty()) {
    return invalid(base.text(), "a URL with a query cannot be continued by a path");
  }
  const std::string prefix =
      base.path.ends_with('/') ? base.path.substr(0, base.path.size() - 1) : base.path;
  return parse_url(base.origin + prefix + path);
}

Result<Url> redirected(const Url& current, const std::string& location) {
  const auto refuse = [&](std::string detail) {
    return Error(Code::redirect_refused, current.origin, std::move(detail));
  };
  const Handle handle(curl_url());
  if (handle == nullptr) return Error(Code::internal, "url", "out of memory");
  if (curl_url_set(handle.get(), CURLUPART_URL, current.text().c_str(), 0) != CURLUE_OK ||
      curl_url_set(handle.get(), CURLUPART_URL, location.c_str(),
                   CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK) {
    return refuse("the server redirects to no URL: \"" + printable(location) + "\"");
  }
  const Result<Url> target = parse_url(part(handle, CURLUPART_URL).value_or(""));
  if (!target)
    return refuse("the server redirects to no usable https URL: " + target.error().detail());
  if (!equal_ignoring_case(target->origin, current.origin)) {
    return refuse("the server redirects to " + printable(target->origin));
  }
  return *target;
}

}  // namespace ratls::client
