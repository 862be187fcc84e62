// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.h"

#include <gtest/gtest.h>

namespace ratls::http {
namespace {

using State = RequestParser::State;

constexpr HttpLimits kLimits{.header_bytes = 1024, .body_bytes = 100};

/// status_of is the status of the refusal, or 0 for a request that is read.
int status_of(std::string_view bytes) {
  const auto outcome = parse_request(bytes, kLimits);
  const auto* refusal = std::get_if<Refusal>(&outcome);
  return refusal == nullptr ? 0 : refusal->status;
}

/// status_of_lines puts header lines into a request that is fine without them.
int status_of_lines(std::string_view lines, std::string_view body = "") {
  return status_of("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n" +
                   std::string(body));
}

Request read(std::string_view bytes) { return std::get<Request>(parse_request(bytes, kLimits)); }

/// feed_slowly gives the bytes one at a time, as a slow client does.
State feed_slowly(RequestParser& parser, std::string_view bytes) {
  std::string pending;
  for (const char byte : bytes) {
    if (parser.state() != State::needs_more) break;
    pending.push_back(byte);
    pending.erase(0, parser.feed(pending));
  }
  return parser.state();
}

TEST(ParseRequest, ReadsMethodTargetAndHeaders) {
  const Request request =
      read("GET /a/b?x=1 HTTP/1.1\r\nHost: h:8000\r\nX-One:  two words \r\nEmpty:\r\n\r\n");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/a/b?x=1");
  EXPECT_EQ(request.path, "/a/b");
  ASSERT_EQ(request.headers.size(), 3U);
  EXPECT_EQ(request.headers[1].first, "X-One");
  EXPECT_EQ(request.headers[1].second, "two words");
  EXPECT_EQ(request.header("x-ONE"), "two words");
  EXPECT_EQ(request.header("absent"), "");
  EXPECT_EQ(request.body, "");
}

TEST(ParseRequest, ReadsBodyByLength) {
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").body, "hello");
  EXPECT_EQ(read("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello").body, "hello");
}

TEST(ParseRequest, ReadsChunkedBodyAndDropsTrailers) {
  const Request request = read(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;name=value\r\nhello\r\n1\r\n!\r\n0\r\nHost: evil\r\nX-Late: 1\r\n\r\n");
  EXPECT_EQ(request.body, "hello!");
  EXPECT_EQ(request.header("host"), "h");
  EXPECT_EQ(request.header("x-late"), "");
}

TEST(ParseRequest, ReadsTheSameByteByByte) {
  for (const std::string_view bytes :
       {"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n0\r\nA: b\r\n\r\n"}) {
    const Request whole = read(bytes);
    RequestParser parser(kLimits);
    ASSERT_EQ(feed_slowly(parser, bytes), State::complete) << bytes;
    EXPECT_EQ(parser.request().body, whole.body);
    EXPECT_EQ(parser.request().headers, whole.headers);
  }
}

TEST(ParseRequest, LeavesTheNextRequest) {
  RequestParser parser(kLimits);
  const std::string one = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
  EXPECT_EQ(parser.feed(one + "GET /next"), one.size());
  EXPECT_EQ(parser.state(), State::complete);
  EXPECT_EQ(parser.request().body, "hi");
}

TEST(ParseRequest, TakesAbsoluteForm) {
  EXPECT_EQ(read("GET https://h/a?b HTTP/1.1\r\nHost: h\r\n\r\n").path, "/a");
  EXPECT_EQ(read("GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n").path, "/");
  EXPECT_EQ(read("GET http://h?x=/y HTTP/1.1\r\nHost: h\r\n\r\n").path, "/");
  EXPECT_EQ(read("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").path, "*");
}

TEST(ParseRequest, SaysWhetherTheConnectionStays) {
  const auto keeps = [](std::string_view bytes) {
    RequestParser parser(kLimits);
    parser.feed(bytes);
    EXPECT_EQ(parser.state(), State::complete);
    return parser.keeps_alive();
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
}

// Request smuggling: two servers that read one of these differently see different requests.
TEST(ParseRequest, RefusesLengthBesideTransferEncoding) {
  EXPECT_EQ(status_of_lines("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            400);
  EXPECT_EQ(status_of_lines("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
            400);
}

TEST(ParseRequest, RefusesTransferEncodingNotEndingInChunked) {
  for (const char* value :
       {"gzip", "identity", "chunked, identity", "chunked, gzip", "xchunked", "chunked;q=1", "",
        ",", "chunked,", "chunked chunked", "\"chunked\"", "chunked\v", "chunked, chunked"}) {
    EXPECT_EQ(status_of_lines("Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n"),
              400)
        << value;
  }
}

TEST(ParseRequest, RefusesUnknownTransferCoding) {
  EXPECT_EQ(status_of_lines("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501);
}

TEST(ParseRequest, RefusesTransferEncodingTwice) {
  EXPECT_EQ(status_of_lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(status_of_lines("Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n"), 400);
}

TEST(ParseRequest, RefusesChunkedInHttp10) {
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST(ParseRequest, RefusesFoldedLines) {
  EXPECT_EQ(status_of_lines("X: a\r\n b\r\n"), 400);
  EXPECT_EQ(status_of_lines("Transfer-Encoding:\r\n\tchunked\r\n", "0\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400);
}

TEST(ParseRequest, RefusesBareLineFeeds) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: h\n\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\n\n"), 400);
  EXPECT_EQ(status_of_lines("Transfer-Encoding: chunked\r\n", "1\nx\r\n0\r\n\r\n"), 400);
}

TEST(ParseRequest, RefusesBareCarriageReturns) {
  EXPECT_EQ(status_of_lines("X: a\rY: b\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\rHost: h\r\n\r\n"), 400);
}

TEST(ParseRequest, RefusesLengthTwiceEvenWhenEqual) {
  EXPECT_EQ(status_of_lines("Content-Length: 2\r\nContent-Length: 2\r\n", "hi"), 400);
  EXPECT_EQ(status_of_lines("Content-Length: 2, 2\r\n", "hi"), 400);
}

TEST(ParseRequest, RefusesLengthThatIsNoNumber) {
  for (const char* value : {"+2", "-2", "0x2", "2a", "2 2", "", "2.0", "\xb2"}) {
    EXPECT_EQ(status_of_lines("Content-Length: " + std::string(value) + "\r\n", "hi"), 400)
        << value;
  }
}

TEST(ParseRequest, RefusesControlCharactersInValues) {
  using namespace std::string_view_literals;
  for (const std::string_view value : {"a\0b"sv, "a\x01"sv, "\x7f"sv, "a\x1b[2J"sv, "a\vb"sv}) {
    EXPECT_EQ(status_of_lines("X: " + std::string(value) + "\r\n"), 400);
  }
  EXPECT_EQ(status_of_lines("X: a\tb \xc3\xa9\r\n"), 0);
}

TEST(ParseRequest, RefusesBadNames) {
  for (const char* line : {"X : a", "Content-Length : 2", ": a", "X Y: a", "X\xc3\xa9: a",
                           "nocolon", "X\t: a", "(x): a", "X\x01: a"}) {
    EXPECT_EQ(status_of_lines(std::string(line) + "\r\n"), 400) << line;
  }
}

TEST(ParseRequest, RefusesMissingOrSecondHost) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n"), 400);
  for (const char* host : {"", "a b", "a/b", "a@b", "a\\b", "a,b?", "a\"b"}) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n"), 0);
}

TEST(ParseRequest, RefusesBadRequestLines) {
  for (const char* line : {"GET /",
                           "GET",
                           "",
                           " GET / HTTP/1.1",
                           "GET  / HTTP/1.1",
                           "GET /  HTTP/1.1",
                           "GET / HTTP/1.1 ",
                           "GET / a HTTP/1.1",
                           "GET\t/ HTTP/1.1",
                           "G(T / HTTP/1.1",
                           "GET / http/1.1",
                           "GET / HTTP/1.1x",
                           "GET / HTTP/11",
                           "GET / HTTP/x.1",
                           "GET / HTP/1.1",
                           "GET a HTTP/1.1",
                           "GET * HTTP/1.1",
                           "CONNECT h:1 HTTP/1.1",
                           "GET ftp://h/ HTTP/1.1",
                           "GET /#a HTTP/1.1",
                           "GET /\xc3\xa9 HTTP/1.1",
                           "GET /\x7f HTTP/1.1",
                           "GET https HTTP/1.1"}) {
    EXPECT_EQ(status_of(std::string(line) + "\r\nHost: h\r\n\r\n"), 400) << line;
  }
}

TEST(ParseRequest, RefusesEmptyLineBeforeTheRequest) {
  EXPECT_EQ(status_of("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

TEST(ParseRequest, RefusesOtherVersions) {
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/1.2\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/0.9\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(ParseRequest, RefusesLargeHeaders) {
  EXPECT_EQ(status_of("GET /" + std::string(2000, 'a')), 414);
  EXPECT_EQ(status_of_lines("X: " + std::string(2000, 'a') + "\r\n"), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'a')), 431);
}

TEST(ParseRequest, ReadsAHeaderOfExactlyTheLimit) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  const std::size_t fill = kLimits.header_bytes - begin.size() - 4;
  EXPECT_EQ(status_of(begin + std::string(fill, 'a') + "\r\n\r\n"), 0);
  EXPECT_EQ(status_of(begin + std::string(fill + 1, 'a') + "\r\n\r\n"), 431);
}

TEST(ParseRequest, RefusesLargeBodies) {
  EXPECT_EQ(status_of_lines("Content-Length: 100\r\n", std::string(100, 'b')), 0);
  EXPECT_EQ(status_of_lines("Content-Length: 101\r\n", std::string(101, 'b')), 413);
  EXPECT_EQ(status_of_lines("Content-Length: 18446744073709551616\r\n"), 413);
  const std::string fifty = "32\r\n" + std::string(50, 'b') + "\r\n";
  EXPECT_EQ(status_of_lines("Transfer-Encoding: chunked\r\n", fifty + fifty + "0\r\n\r\n"), 0);
  EXPECT_EQ(status_of_lines("Transfer-Encoding: chunked\r\n", fifty + fifty + "1\r\n"), 413);
  EXPECT_EQ(status_of_lines("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\nx"), 413);
}

TEST(ParseRequest, RefusesBadChunks) {
  for (const char* body : {"x\r\n\r\n0\r\n\r\n", "-1\r\n\r\n", "1\r\nab\r\n0\r\n\r\n",
                           "10000000000000000\r\n", "1 \r\na\r\n0\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n",
                           "1\ra\r\n0\r\n\r\n", ";a\r\na\r\n0\r\n\r\n"}) {
    EXPECT_EQ(status_of_lines("Transfer-Encoding: chunked\r\n", body), 400) << body;
  }
}

TEST(ParseRequest, BoundsChunkHeadersAndTrailers) {
  const std::string lines = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(status_of_lines(lines, "1;a=" + std::string(2000, 'a')), 431);
  EXPECT_EQ(status_of_lines(lines, "1;a=" + std::string(2000, 'a') + "\r\nx\r\n0\r\n\r\n"), 431);
  EXPECT_EQ(status_of_lines(lines, "0\r\nX: " + std::string(2000, 'a') + "\r\n\r\n"), 431);
}

TEST(ParseRequest, RefusesWhatIsNotWhole) {
  const std::string_view whole = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(status_of(whole.substr(0, size)), 400) << size;
  }
  EXPECT_EQ(status_of(whole), 0);
}

TEST(ParseRequest, KnowsWhoWaitsToContinue) {
  RequestParser parser(kLimits);
  parser.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_TRUE(parser.awaits_continue());
  EXPECT_EQ(parser.feed("h"), 1U);
  EXPECT_FALSE(parser.awaits_continue());
  RequestParser old(kLimits);
  old.feed("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_FALSE(old.awaits_continue());
  EXPECT_EQ(status_of_lines("Expect: tea\r\n"), 417);
}

TEST(ScanHead, RefusesABlockWithoutItsEnd) {
  for (const char* block : {"", "\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n", "\r\n",
                            "GET / HTTP/1.1\r\n\r\nHost: h\r\n\r\n"}) {
    EXPECT_TRUE(std::holds_alternative<Refusal>(scan_request_head(block, kLimits))) << block;
  }
}

}  // namespace
}  // namespace ratls::http
