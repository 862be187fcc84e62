// SPDX-License-Identifier: Apache-2.0
#include "http/forward.h"

#include <gmock/gmock.h>

namespace ratls::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string forwarded(std::string_view bytes, std::string peer = "192.0.2.1:5") {
  RequestParser parser(HttpLimits{});
  parser.feed(bytes);
  EXPECT_TRUE(parser.header_done());
  parser.request().peer = std::move(peer);
  parser.request().id = "0123";
  std::string out;
  write_forwarded_request(out, parser.request(), parser.framing());
  return out;
}

TEST(ForwardedRequest, SaysWhoAsked) {
  EXPECT_EQ(forwarded("GET /a?b HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n"),
            "GET /a?b HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n"
            "Forwarded: for=192.0.2.1;proto=https;host=\"h\"\r\nX-Forwarded-For: 192.0.2.1\r\n"
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: h\r\nX-Request-Id: 0123\r\n"
            "Via: 1.1 ratls\r\n\r\n");
  EXPECT_THAT(forwarded("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "[2001:db8::1]:5"),
              HasSubstr("Forwarded: for=\"[2001:db8::1]\";proto=https;host=\"h\"\r\n"
                        "X-Forwarded-For: 2001:db8::1\r\n"));
}

TEST(ForwardedRequest, HasAnIdOfOurMaking) {
  for (const std::string name : {"X-Request-Id", "x-request-id", "X_Request_Id"}) {
    const std::string head = forwarded("GET / HTTP/1.1\r\nHost: h\r\n" + name + ": evil\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("\r\nX-Request-Id: 0123\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("evil")));
  }
}

TEST(InterimAnswer, HasAnIdWhenItIsTheLast) {
  Response response;
  response.headers = {{"X-Request-Id", "the app's"}, {"Link", "</a>"}};
  response.status = 103;
  std::string out;
  write_interim_answer(out, response, "0123");
  EXPECT_EQ(out, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  response.status = 101;
  out.clear();
  write_interim_answer(out, response, "0123");
  EXPECT_THAT(out, HasSubstr("\r\nX-Request-Id: 0123\r\n"));
  EXPECT_THAT(out, Not(HasSubstr("the app's")));
}

TEST(ForwardedRequest, GivesOldClientsAHost) {
  const std::string head = forwarded("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(head, StartsWith("GET / HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("X-Forwarded-Host")));
}

TEST(ForwardedRequest, TurnsTheAbsoluteFormIntoTheOriginForm) {
  EXPECT_THAT(forwarded("GET https://a.example:1/x?y HTTP/1.1\r\nHost: h\r\n\r\n"),
              StartsWith("GET /x?y HTTP/1.1\r\nHost: a.example:1\r\n"));
  EXPECT_THAT(forwarded("GET http://a.example?y HTTP/1.1\r\nHost: h\r\n\r\n"),
              StartsWith("GET /?y HTTP/1.1\r\nHost: a.example\r\n"));
  EXPECT_THAT(forwarded("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
              StartsWith("OPTIONS * HTTP/1.1\r\n"));
}

TEST(ForwardedRequest, PassesTheFramingOn) {
  EXPECT_THAT(forwarded("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"),
              EndsWith("Content-Length: 3\r\n\r\n"));
  EXPECT_THAT(forwarded("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"),
              EndsWith("Transfer-Encoding: chunked\r\n\r\n"));
}

TEST(ForwardedRequest, UpgradesToWebSocketOnly) {
  constexpr std::string_view kRest = "\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: ";
  const auto head = [&](std::string_view method, std::string_view protocol) {
    return forwarded(std::string(method) + " / HTTP/1.1" + std::string(kRest) +
                     std::string(protocol) + "\r\n\r\n");
  };
  EXPECT_THAT(head("GET", "websocket"),
              EndsWith("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
  EXPECT_THAT(head("GET", "h2c"), Not(HasSubstr("Upgrade")));
  EXPECT_THAT(head("POST", "websocket"), Not(HasSubstr("Upgrade")));
}

TEST(ForwardedAnswer, ChoosesAFramingThatTheClientKnows) {
  Response response;
  Framing known;
  known.content_length = 3;
  EXPECT_EQ(body_framing(response, known, false, false), BodyFraming::as_announced);
  EXPECT_EQ(body_framing(response, known, true, false), BodyFraming::none);
  EXPECT_EQ(body_framing(response, {}, false, false), BodyFraming::chunked);
  EXPECT_EQ(body_framing(response, {}, false, true), BodyFraming::until_close);
  response.status = 204;
  EXPECT_EQ(body_framing(response, {}, false, false), BodyFraming::none);
}

TEST(ForwardedAnswer, KeepsTheAppsHeadersButThoseOfItsHop) {
  Response response;
  response.headers = {{"Connection", "close, X-Hop"},
                      {"X-Hop", "1"},
                      {"Set-Cookie", "a"},
                      {"Set-Cookie", "b"},
                      {"Date", "today"},
                      {"Keep-Alive", "5"},
                      {"X-Request-ID", "the app's"}};
  std::string out;
  write_forwarded_answer(out, response, {}, BodyFraming::chunked, Persistence::keep_alive, "now",
                         "0123");
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nDate: today\r\n"
            "X-Request-Id: 0123\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(WriteChunk, LeavesOutEmptyOnes) {
  std::string out;
  write_chunk(out, "");
  write_chunk(out, std::string(26, 'x'));
  write_last_chunk(out);
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

}  // namespace
}  // namespace ratls::http
