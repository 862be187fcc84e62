// SPDX-License-Identifier: Apache-2.0
#include "http/forward.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace ratls::http {
namespace {

// RFC 9110 7.6.1, and those that end or say how a message is framed, which each hop does anew.
constexpr std::array<std::string_view, 11> kOfOneHop = {"connection",
                                                        "keep-alive",
                                                        "proxy-connection",
                                                        "proxy-authenticate",
                                                        "proxy-authorization",
                                                        "te",
                                                        "trailer",
                                                        "transfer-encoding",
                                                        "upgrade",
                                                        "content-length",
                                                        "expect"};
// Only a proxy may say these; a client that does wants to be taken for another.
constexpr std::array<std::string_view, 3> kOfProxies = {"forwarded", "x-real-ip", "x-request-id"};
constexpr std::array<std::string_view, 2> kPrefixesOfProxies = {"x-forwarded-", "x-ratls-"};

std::string lower_with_dashes(std::string_view name) {
  // CGI and WSGI write "-" and "_" the same way, so that an app cannot tell them apart.
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c == '_') c = '-';
  }
  return out;
}

bool only_proxies_say(std::string_view name) {
  const std::string plain = lower_with_dashes(name);
  return std::ranges::find(kOfProxies, plain) != kOfProxies.end() ||
         std::ranges::any_of(kPrefixesOfProxies,
                             [&](std::string_view prefix) { return plain.starts_with(prefix); });
}

/// has_element finds a word in comma-separated header values.
bool has_element(const Headers& headers, std::string_view name, std::string_view word) {
  for (const auto& [key, value] : headers) {
    if (!equal_ignoring_case(key, name)) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      std::string_view element = rest.substr(0, comma);
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
      while (element.starts_with(' ') || element.starts_with('\t')) element.remove_prefix(1);
      while (element.ends_with(' ') || element.ends_with('\t')) element.remove_suffix(1);
      if (equal_ignoring_case(element, word)) return true;
    }
  }
  return false;
}

/// is_of_one_hop tells headers that are not passed on, among them those that Connection names.
bool is_of_one_hop(const Headers& headers, std::string_view name) {
  const auto same = [&](std::string_view other) { return equal_ignoring_case(name, other); };
  return std::ranges::any_of(kOfOneHop, same) || has_element(headers, "connection", name);
}

void write_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void write_fields(std::string& out, const Headers& headers, bool from_client) {
  for (const auto& [name, value] : headers) {
    if (is_of_one_hop(headers, name)) continue;
    if (from_client && (only_proxies_say(name) || equal_ignoring_case(name, "host"))) continue;
    if (!from_client && equal_ignoring_case(name, "x-request-id")) continue;
    write_field(out, name, value);
  }
}

struct Target {
  std::string host;    // empty: none is known
  std::string origin;  // path and query, or "*"
};

/// split_target makes the origin form, whose host comes from an absolute form if there is one
/// (RFC 9112 3.2.2).
Target split_target(const Request& request) {
  Target target{std::string(request.header("host")), request.target};
  const auto scheme = request.target.find("://");
  if (request.target.starts_with('/') || scheme == std::string::npos) return target;
  const auto authority = scheme + 3;
  const auto end = std::min(request.target.find_first_of("/?", authority), request.target.size());
  const std::string host = request.target.substr(authority, end - authority);
  if (is_host(host)) target.host = host;
  target.origin = request.target.substr(end);
  if (!target.origin.starts_with('/')) target.origin.insert(0, "/");
  return target;
}

/// address_of leaves out the port and the brackets.
std::string_view address_of(std::string_view peer) {
  std::string_view address = peer.substr(0, peer.rfind(':'));
  if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
  return address;
}

void write_origin(std::string& out, const Request& request, const std::string& host) {
  const std::string address(address_of(request.peer));
  const bool is_ipv6 = address.find(':') != std::string::npos;
  std::string forwarded = "for=" + (is_ipv6 ? "\"[" + address + "]\"" : address) + ";proto=https";
  if (!host.empty()) forwarded += ";host=\"" + host + "\"";
  write_field(out, "Forwarded", forwarded);
  write_field(out, "X-Forwarded-For", address);
  write_field(out, "X-Forwarded-Proto", "https");
  if (!host.empty()) write_field(out, "X-Forwarded-Host", host);
  write_field(out, "X-Request-Id", request.id);
}

}  // namespace

bool wants_websocket(const Request& request, const Framing& framing) {
  return request.method == "GET" && !framing.http10 && !framing.chunked &&
         framing.content_length.value_or(0) == 0 &&
         has_element(request.headers, "connection", "upgrade") &&
         has_element(request.headers, "upgrade", "websocket");
}

bool agrees_to_websocket(const Response& response) {
  return response.status == 101 && has_element(response.headers, "connection", "upgrade") &&
         has_element(response.headers, "upgrade", "websocket");
}

void write_forwarded_request(std::string& out, const Request& request, const Framing& framing,
                             const LocalProxy* local) {
  const Target target = split_target(request);
  out += request.method + " " + target.origin + " HTTP/1.1\r\n";
  if (local != nullptr) {
    write_field(out, "Host", local->server);
    write_fields(out, headers_for_server(request, *local), true);
  } else {
    // HTTP/1.1 demands one (RFC 9112 3.2); a client of HTTP/1.0 may have none.
    write_field(out, "Host", target.host.empty() ? "localhost" : target.host);
    write_fields(out, request.headers, true);
    write_origin(out, request, target.host);
  }
  write_field(out, "Via", "1.1 ratls");
  if (framing.chunked) {
    write_field(out, "Transfer-Encoding", "chunked");
  } else if (framing.content_length) {
    write_field(out, "Content-Length", std::to_string(*framing.content_length));
  }
  if (wants_websocket(request, framing)) {
    write_field(out, "Connection", "Upgrade");
    write_field(out, "Upgrade", "websocket");
  }
  out += "\r\n";
}

BodyFraming body_framing(const Response& response, const Framing& framing, bool to_head,
                         bool to_http10) {
  if (to_head || !may_have_body(response.status)) return BodyFraming::none;
  if (framing.content_length) return BodyFraming::as_announced;
  return to_http10 ? BodyFraming::until_close : BodyFraming::chunked;
}

void write_forwarded_answer(std::string& out, const Response& response, const Framing& framing,
                            BodyFraming body, Persistence persistence, std::string_view date,
                            std::string_view request_id) {
  write_status_line(out, response.status);
  write_fields(out, response.headers, false);
  const bool has_date = std::ranges::any_of(response.headers, [](const auto& header) {
    return equal_ignoring_case(header.first, "date");
  });
  if (!has_date) write_field(out, "Date", date);
  write_field(out, "X-Request-Id", request_id);
  // To HEAD the length is that of the body that GET would have (RFC 9110 8.6).
  if (framing.content_length && may_have_body(response.status)) {
    write_field(out, "Content-Length", std::to_string(*framing.content_length));
  }
  if (body == BodyFraming::chunked) write_field(out, "Transfer-Encoding", "chunked");
  if (persistence == Persistence::close) write_field(out, "Connection", "close");
  if (persistence == Persistence::keep_alive_http10) write_field(out, "Connection", "keep-alive");
  out += "\r\n";
}

void write_interim_answer(std::string& out, const Response& response, std::string_view request_id) {
  write_status_line(out, response.status);
  write_fields(out, response.headers, false);
  if (response.status == 101) {
    write_field(out, "X-Request-Id", request_id);
    write_field(out, "Connection", "Upgrade");
    write_field(out, "Upgrade", "websocket");
  }
  out += "\r\n";
}

void write_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16);
  out.append(digits.data(), end.ptr);
  out += "\r\n";
  out += data;
  out += "\r\n";
}

void write_last_chunk(std::string& out) { out += "0\r\n\r\n"; }

}  // namespace ratls::http
