// SPDX-License-Identifier: Apache-2.0
#include "http/response_parser.h"

#include <gtest/gtest.h>

namespace ratls::http {
namespace {

using State = ResponseParser::State;

/// parsed feeds bytes, and the end of the connection after them when that is asked for.
ResponseParser parsed(std::string_view bytes, bool ends, bool to_head = false) {
  ResponseParser parser(1024, to_head);
  while (parser.state() == State::needs_more) {
    const std::size_t taken = parser.feed(bytes);
    bytes.remove_prefix(taken);
    if (taken == 0) break;
  }
  if (ends) parser.end();
  return parser;
}

TEST(ResponseParser, ReadsWhatHasALength) {
  auto parser = parsed("HTTP/1.1 201 Created\r\nA: b\r\nContent-Length: 2\r\n\r\nok", false);
  ASSERT_EQ(parser.state(), State::complete);
  EXPECT_EQ(parser.response().status, 201);
  EXPECT_EQ(parser.response().body, "ok");
  EXPECT_TRUE(parser.keeps_alive());
}

TEST(ResponseParser, UndoesChunksAndDropsTrailers) {
  auto parser = parsed(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n2\r\nbc\r\n0\r\nT: u\r\n"
      "\r\n",
      false);
  ASSERT_EQ(parser.state(), State::complete);
  EXPECT_EQ(parser.response().body, "abc");
  EXPECT_EQ(parser.response().headers.size(), 1U);
}

TEST(ResponseParser, EndsABodyWithoutLengthWithTheConnection) {
  constexpr std::string_view kBytes = "HTTP/1.1 200 OK\r\n\r\nto the end";
  EXPECT_EQ(parsed(kBytes, false).state(), State::needs_more);
  auto parser = parsed(kBytes, true);
  EXPECT_EQ(parser.state(), State::complete);
  EXPECT_EQ(parser.response().body, "to the end");
  EXPECT_FALSE(parser.keeps_alive());
}

TEST(ResponseParser, KnowsAnswersWithoutBody) {
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false, true).state(),
            State::complete);
  EXPECT_EQ(parsed("HTTP/1.1 204 No Content\r\n\r\n", false).state(), State::complete);
  EXPECT_EQ(parsed("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false).state(),
            State::complete);
  EXPECT_EQ(parsed("HTTP/1.1 103 Early Hints\r\n\r\n", false).state(), State::complete);
}

TEST(ResponseParser, RefusesAnEndInTheMiddle) {
  for (const std::string_view bytes :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"}) {
    const auto parser = parsed(bytes, true);
    EXPECT_EQ(parser.state(), State::refused) << bytes;
    EXPECT_EQ(parser.refusal().status, 502);
  }
}

TEST(ResponseParser, RefusesWhatCanBeReadInTwoWays) {
  for (const std::string_view head :
       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n"}) {
    EXPECT_EQ(parsed(head, true).state(), State::refused) << head;
  }
}

}  // namespace
}  // namespace ratls::http
