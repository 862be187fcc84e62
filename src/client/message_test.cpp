// SPDX-License-Identifier: Apache-2.0
#include "client/message.h"

#include <gtest/gtest.h>

namespace ratls::client {
namespace {

Code code_of(const ClientRequest& request) {
  const auto message = make_message(*parse_url("https://host"), request);
  return message ? Code::ok : message.error().code();
}

ClientRequest with_header(std::string name, std::string value) {
  ClientRequest request;
  request.headers = {{std::move(name), std::move(value)}};
  return request;
}

ClientRequest with_method(std::string method) {
  ClientRequest request;
  request.method = std::move(method);
  return request;
}

AnswerHead read_head(std::initializer_list<std::string_view> lines) {
  AnswerHead head;
  for (const auto line : lines) EXPECT_TRUE(head.add(line));
  return head;
}

TEST(MakeMessage, TakesOrdinaryRequests) {
  EXPECT_EQ(code_of(with_header("X-Name", "value\twith tab")), Code::ok);
  EXPECT_EQ(code_of(with_header("X-Empty", "")), Code::ok);
  EXPECT_EQ(code_of(with_method("PROPFIND")), Code::ok);
}

TEST(MakeMessage, RefusesInjectedLines) {
  EXPECT_EQ(code_of(with_header("X", "a\r\nY: b")), Code::usage);
  EXPECT_EQ(code_of(with_header("X", "a\nY: b")), Code::usage);
  EXPECT_EQ(code_of(with_header("X", std::string("a\0b", 3))), Code::usage);
  EXPECT_EQ(code_of(with_header("X\r\nY", "a")), Code::usage);
  EXPECT_EQ(code_of(with_header("X: Y", "a")), Code::usage);
  EXPECT_EQ(code_of(with_header("", "a")), Code::usage);
  EXPECT_EQ(code_of(with_method("GET / HTTP/1.1\r\nX: y\r\n")), Code::usage);
  EXPECT_EQ(code_of(with_method("")), Code::usage);
  EXPECT_EQ(code_of(with_method("CONNECT")), Code::usage);
  ClientRequest request;
  request.path = "/a b";
  EXPECT_EQ(code_of(request), Code::url_invalid);
}

TEST(MakeMessage, RefusesFramingHeaders) {
  EXPECT_EQ(code_of(with_header("Content-Length", "0")), Code::usage);
  EXPECT_EQ(code_of(with_header("transfer-ENCODING", "chunked")), Code::usage);
  EXPECT_EQ(code_of(with_header("Upgrade", "h2c")), Code::usage);
}

TEST(MakeMessage, RefusesHeadWithBody) {
  ClientRequest request = with_method("HEAD");
  request.body = "x";
  EXPECT_EQ(code_of(request), Code::usage);
}

TEST(Redirect, TurnsIntoGetOrRepeats) {
  ClientRequest request = with_method("POST");
  request.headers = {{"Content-Type", "text/plain"}, {"X-Mine", "1"}};
  request.body = "x";
  const auto original = make_message(*parse_url("https://host"), request);
  ASSERT_TRUE(original);
  for (const int status : {301, 302, 303}) {
    Message message = *original;
    ASSERT_TRUE(redirect(message, status, "/b"));
    EXPECT_EQ(message.method, "GET");
    EXPECT_EQ(message.body, "");
    EXPECT_EQ(message.headers, (Headers{{"X-Mine", "1"}}));
    EXPECT_EQ(message.url.path, "/b");
  }
  for (const int status : {307, 308}) {
    Message message = *original;
    ASSERT_TRUE(redirect(message, status, "/b"));
    EXPECT_EQ(message.method, "POST");
    EXPECT_EQ(message.body, "x");
    EXPECT_EQ(message.headers.size(), 2U);
  }
  Message head = *make_message(*parse_url("https://host"), with_method("HEAD"));
  ASSERT_TRUE(redirect(head, 303, "/b"));
  EXPECT_EQ(head.method, "HEAD");
}

TEST(AnswerHead, CollectsHeaders) {
  const AnswerHead head = read_head({"HTTP/1.1 200 OK\r\n", "A: b \r\n", "a:c\r\n", "\r\n"});
  EXPECT_TRUE(head.complete());
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(head.headers(), (Headers{{"A", "b"}, {"a", "c"}}));
  EXPECT_EQ(find_header(head.headers(), "a"), "b");
}

TEST(AnswerHead, DropsInterimResponsesAndTrailers) {
  const AnswerHead head =
      read_head({"HTTP/1.1 103 Early Hints\r\n", "Link: x\r\n", "\r\n", "HTTP/1.1 204 None\r\n",
                 "A: b\r\n", "\r\n", "Trailer: c\r\n", "HTTP/1.1 500 Oops\r\n"});
  EXPECT_EQ(head.status(), 204);
  EXPECT_EQ(head.headers(), (Headers{{"A", "b"}}));
}

TEST(AnswerHead, IsNotCompleteBeforeTheFinalResponse) {
  EXPECT_FALSE(read_head({"HTTP/1.1 100 Continue\r\n", "\r\n"}).complete());
  EXPECT_FALSE(read_head({"HTTP/1.1 200 OK\r\n", "A: b\r\n"}).complete());
  EXPECT_FALSE(read_head({"HTTP/1.1 2x0 OK\r\n", "\r\n"}).complete());
  EXPECT_FALSE(read_head({}).begun());
}

TEST(AnswerHead, CleansValuesAndSkipsWhatIsNoHeader) {
  const AnswerHead head = read_head({"HTTP/1.1 200 OK\r\n", "A: b\x1b[31m\rc\r\n", " folded\r\n",
                                     "no colon\r\n", "b d: e\r\n", "\r\n"});
  EXPECT_EQ(head.headers(), (Headers{{"A", "b [31m c folded"}}));
}

TEST(IsChunked, LooksAtTheLastCoding) {
  EXPECT_TRUE(is_chunked({{"Transfer-Encoding", "Chunked"}}));
  EXPECT_TRUE(is_chunked({{"transfer-encoding", "gzip, chunked"}}));
  EXPECT_FALSE(is_chunked({{"Transfer-Encoding", "chunked, gzip"}}));
  EXPECT_FALSE(is_chunked({{"Transfer-Encoding", "unchunked"}}));
  EXPECT_FALSE(is_chunked({{"X-Transfer-Encoding", "chunked"}}));
  EXPECT_FALSE(is_chunked({}));
}

TEST(AnswerHead, RefusesEndlessHeaders) {
  AnswerHead head = read_head({"HTTP/1.1 200 OK\r\n"});
  const std::string line = "A: " + std::string(10000, 'x') + "\r\n";
  Result<void> added;
  for (int i = 0; i < 100 && added; ++i) added = head.add(line);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), Code::answer_too_large);
}

}  // namespace
}  // namespace ratls::client
