// SPDX-License-Identifier: Apache-2.0
#include "http/local_proxy.h"

#include <algorithm>

#include "base/text.h"
#include "http/write.h"

namespace ratls::http {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

std::string lower_text(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

/// Address is a URL taken apart: "http://", "host:1", "/a?b".
struct Address {
  std::string scheme;
  std::string authority;
  std::string_view rest;
};

std::optional<Address> split(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return std::nullopt;
  const auto begin = scheme + 3;
  // Browsers take a backslash for a slash.
  const auto end = std::min(url.find_first_of("/?#\\", begin), url.size());
  return Address{lower_text(url.substr(0, begin)), lower_text(url.substr(begin, end - begin)),
                 url.substr(end)};
}

std::string without_suffix(std::string text, std::string_view suffix) {
  if (text.ends_with(suffix)) text.resize(text.size() - suffix.size());
  return text;
}

bool is_name_of(std::string_view authority, const LocalProxy& proxy) {
  std::string host = lower_text(authority);
  const std::string port = ":" + std::to_string(proxy.port);
  if (host.ends_with(port)) {
    host = without_suffix(std::move(host), port);
  } else if (proxy.port != 80) {
    return false;
  }
  const auto named = [&](std::string_view name) {
    return std::ranges::find(proxy.names, name) != proxy.names.end();
  };
  return named(host) || (named("localhost") && host.ends_with(".localhost"));
}

/// is_from tells a URL whose origin is that of the proxy, as the request calls it.
bool is_from(std::string_view url, std::string_view local_host) {
  const auto address = split(url);
  return address && address->scheme == kHttp && address->authority == lower_text(local_host);
}

constexpr const char* kForeign = "a page of another origin asked for this";
constexpr const char* kByHand = "open the address by hand";

Problem refused(int status, std::string where, std::string reason, std::string hint) {
  return {status, Error(Code::usage, std::move(where), std::move(reason)), std::move(hint)};
}

/// local_cookie leaves out what would keep a browser from storing the cookie for the proxy.
std::string local_cookie(std::string_view value) {
  const std::string cookie = lower_text(value.substr(0, value.find('=')));
  // A browser takes these with Secure only, from http on this machine too if it takes them at all.
  const bool needs_secure = cookie.starts_with("__host-") || cookie.starts_with("__secure-");
  std::string out;
  for (bool first = true; first || !value.empty(); first = false) {
    const auto end = value.find(';');
    const std::string_view part = value.substr(0, end);
    value.remove_prefix(end == value.npos ? value.size() : end + 1);
    std::string attribute = lower_text(part);
    std::erase_if(attribute, [](char c) { return c == ' ' || c == '\t'; });
    const bool of_https = !needs_secure && (attribute == "secure" || attribute == "samesite=none");
    if (!first && (of_https || attribute == "domain" || attribute.starts_with("domain="))) continue;
    if (!first) out += ';';
    out += part;
  }
  return out;
}

std::string local_location(std::string_view value, const LocalProxy& proxy,
                           std::string_view local_host) {
  // Without a scheme it is that of the page, which for the server is https.
  const std::string meant = (value.starts_with("//") ? "https:" : "") + std::string(value);
  const auto address = split(meant);
  const bool is_server = address && address->scheme == kHttps &&
                         without_suffix(address->authority, ":443") == lower_text(proxy.server);
  if (!is_server) return meant;
  return std::string(kHttp) + std::string(local_host) + std::string(address->rest);
}

bool is_left_out(std::string_view name) {
  const std::string plain = lower_text(name);
  return plain == "strict-transport-security" || plain == "alt-svc" ||
         plain.starts_with("x-ratls-");
}

std::string_view hint_of(const Problem& problem) {
  return problem.hint.empty() ? problem.error.hint() : std::string_view(problem.hint);
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string html_page(const Problem& problem, std::string_view request_id) {
  const Error& error = problem.error;
  std::string page =
      "<!doctype html>\n<meta charset=\"utf-8\">\n<title>ratls proxy</title>\n"
      "<h1>ratls proxy has no answer for this request</h1>\n";
  const std::string message = error.message();
  const std::pair<std::string_view, std::string_view> lines[] = {{"error", message},
                                                                 {"where", error.where()},
                                                                 {"hint", hint_of(problem)},
                                                                 {"request", request_id}};
  page += "<dl>\n";
  for (const auto& [name, value] : lines) {
    if (value.empty()) continue;
    page += "<dt>" + std::string(name) + "</dt><dd>" + html_text(value) + "</dd>\n";
  }
  return page + "</dl>\n";
}

}  // namespace

std::optional<Problem> check_local_request(const Request& request, const LocalProxy& proxy) {
  const std::string_view host = request.header("host");
  const auto absolute = request.target.starts_with('/') ? std::nullopt : split(request.target);
  if (!is_name_of(host, proxy) || (absolute && !is_name_of(absolute->authority, proxy))) {
    return refused(421, "Host", "this proxy stands for one server",
                   "ask it by the address that it printed, and do not set it as a program's proxy");
  }
  if (request.method == "CONNECT") {
    return refused(405, "method", "this proxy makes no tunnels", "ask it for the server's paths");
  }
  // What a browser says of the page that asks (https://www.w3.org/TR/fetch-metadata). "none" is a
  // person's own doing; "same-site" is any port of this machine.
  const std::string_view site = request.header("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") {
    return refused(403, "Sec-Fetch-Site", kForeign, kByHand);
  }
  for (const char* name : {"Origin", "Referer"}) {
    const std::string_view origin = request.header(name);
    if (origin.empty() || is_from(origin, host)) continue;
    return refused(403, name, kForeign, kByHand);
  }
  return std::nullopt;
}

Headers headers_for_server(const Request& request, const LocalProxy& proxy) {
  const std::string_view host = request.header("host");
  Headers headers;
  for (const auto& [name, value] : request.headers) {
    if (equal_ignoring_case(name, "host")) continue;
    const bool names_origin =
        equal_ignoring_case(name, "origin") || equal_ignoring_case(name, "referer");
    const auto address = names_origin && is_from(value, host) ? split(value) : std::nullopt;
    headers.emplace_back(
        name, address ? std::string(kHttps) + proxy.server + std::string(address->rest) : value);
  }
  return headers;
}

void make_local(Headers& headers, const LocalProxy& proxy, std::string_view local_host) {
  std::erase_if(headers, [](const auto& header) { return is_left_out(header.first); });
  for (auto& [name, value] : headers) {
    if (equal_ignoring_case(name, "set-cookie")) value = local_cookie(value);
    if (equal_ignoring_case(name, "location")) value = local_location(value, proxy, local_host);
  }
}

bool wants_html(const Request& request) {
  return lower_text(request.header("accept")).find("text/html") != std::string::npos;
}

Response problem_response(const Problem& problem, std::string_view request_id, bool as_html) {
  const Error& error = problem.error;
  const CodeInfo& info = describe(error.code());
  Response response;
  if (as_html) {
    response.headers = {{"Content-Type", "text/html; charset=utf-8"},
                        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"}};
    response.body = html_page(problem, request_id);
  } else {
    response = Response::json({{"type", "about:blank"},
                               {"title", info.text},
                               {"status", problem.status},
                               {"detail", error.detail()},
                               {"code", info.name},
                               {"number", static_cast<int>(error.code())},
                               {"where", error.where()},
                               {"hint", hint_of(problem)},
                               {"request_id", request_id}});
    response.headers = {{"Content-Type", "application/problem+json"}};
  }
  response.status = problem.status;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Ratls-Error", info.name);
  return response;
}

}  // namespace ratls::http
