// SPDX-License-Identifier: Apache-2.0
#include "http/write.h"

#include <gtest/gtest.h>

namespace ratls::http {
namespace {

std::string head_of(const Response& response, Persistence persistence) {
  std::string out;
  write_head(out, response, response.body.size(), persistence, "D", "I");
  return out;
}

TEST(WriteHead, StatesLengthAndDate) {
  EXPECT_EQ(head_of(Response::text("hello"), Persistence::keep_alive),
            "HTTP/1.1 200 OK\r\nDate: D\r\nX-Request-Id: I\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n");
}

TEST(WriteHead, StatesWhatBecomesOfTheConnection) {
  EXPECT_NE(head_of({}, Persistence::close).find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_NE(head_of({}, Persistence::keep_alive_http10).find("\r\nConnection: keep-alive\r\n"),
            std::string::npos);
}

TEST(WriteHead, LeavesFramingToTheServer) {
  const std::string head = head_of({200,
                                    {{"content-LENGTH", "9"},
                                     {"Transfer-Encoding", "chunked"},
                                     {"Connection", "upgrade"},
                                     {"x-request-id", "app's"},
                                     {"X", "y"}},
                                    "body"},
                                   Persistence::keep_alive);
  EXPECT_EQ(head,
            "HTTP/1.1 200 OK\r\nDate: D\r\nX-Request-Id: I\r\nX: y\r\nContent-Length: 4\r\n\r\n");
}

TEST(WriteHead, GivesNoLengthWithoutABody) {
  EXPECT_EQ(head_of({204, {}, ""}, Persistence::keep_alive),
            "HTTP/1.1 204 No Content\r\nDate: D\r\nX-Request-Id: I\r\n\r\n");
}

TEST(IsSendable, RefusesWhatWouldBreakTheFraming) {
  EXPECT_TRUE(is_sendable({200, {{"A", "b c\tb"}}, ""}));
  EXPECT_FALSE(is_sendable({200, {{"A", "b\r\nC: d"}}, ""}));
  EXPECT_FALSE(is_sendable({200, {{"A: b\r\nC", "d"}}, ""}));
  EXPECT_FALSE(is_sendable({200, {{"", "d"}}, ""}));
  EXPECT_FALSE(is_sendable({100, {}, ""}));
  EXPECT_FALSE(is_sendable({600, {}, ""}));
}

TEST(HttpDate, WritesTheExampleOfTheSpecification) {
  using namespace std::chrono;
  EXPECT_EQ(http_date(UnixTime(seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(UnixTime(seconds(0))), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(UnixTime(seconds(1709164799))), "Wed, 28 Feb 2024 23:59:59 GMT");
}

TEST(RefusalResponse, IsJson) {
  const Response response = refusal_response({404, "No \"such\" thing."});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"error":"No \"such\" thing."})");
  EXPECT_EQ(refusal_response({502, "x"}, "0123").body, R"({"error":"x","request_id":"0123"})");
}

}  // namespace
}  // namespace ratls::http
