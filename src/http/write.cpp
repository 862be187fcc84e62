// SPDX-License-Identifier: Apache-2.0
#include "http/write.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"

namespace ratls::http {
namespace {

constexpr std::array<std::string_view, 5> kOwnHeaders = {"content-length", "transfer-encoding",
                                                         "connection", "date", "x-request-id"};

bool is_own_header(std::string_view name) {
  return std::ranges::any_of(kOwnHeaders,
                             [&](std::string_view own) { return equal_ignoring_case(own, name); });
}

void append_two_digits(std::string& out, unsigned value) {
  out += static_cast<char>('0' + value / 10 % 10);
  out += static_cast<char>('0' + value % 10);
}

}  // namespace

void write_status_line(std::string& out, int status) {
  out += "HTTP/1.1 ";
  out += std::to_string(status);
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
}

void write_head(std::string& out, const Response& response, std::size_t body_bytes,
                Persistence persistence, std::string_view date, std::string_view request_id) {
  write_status_line(out, response.status);
  out += "Date: ";
  out += date;
  out += "\r\nX-Request-Id: ";
  out += request_id;
  for (const auto& [name, value] : response.headers) {
    if (is_own_header(name)) continue;
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (may_have_body(response.status)) {
    out += "\r\nContent-Length: ";
    out += std::to_string(body_bytes);
  }
  if (persistence == Persistence::close) out += "\r\nConnection: close";
  if (persistence == Persistence::keep_alive_http10) out += "\r\nConnection: keep-alive";
  out += "\r\n\r\n";
}

bool is_sendable(const Response& response) {
  return response.status >= 200 && response.status <= 599 &&
         std::ranges::all_of(response.headers, [](const auto& header) {
           return is_token(header.first) && is_field_value(header.second);
         });
}

bool may_have_body(int status) { return status != 204 && status != 304; }

Response refusal_response(const Refusal& refusal, std::string_view request_id) {
  nlohmann::json body = {{"error", refusal.reason}};
  if (!request_id.empty()) body["request_id"] = request_id;
  return Response::json(body, refusal.status);
}

std::string http_date(UnixTime time) {
  using namespace std::chrono;
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                     "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  std::string out(kDays.at(weekday(day).c_encoding()));
  out += ", ";
  append_two_digits(out, static_cast<unsigned>(date.day()));
  out += ' ';
  out += kMonths.at(static_cast<unsigned>(date.month()) - 1);
  out += ' ';
  append_two_digits(out, year / 100);
  append_two_digits(out, year % 100);
  out += ' ';
  append_two_digits(out, static_cast<unsigned>(clock.hours().count()));
  out += ':';
  append_two_digits(out, static_cast<unsigned>(clock.minutes().count()));
  out += ':';
  append_two_digits(out, static_cast<unsigned>(clock.seconds().count()));
  return out + " GMT";
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";  // RFC 9112 4: the phrase may be empty
  }
}

}  // namespace ratls::http
