// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ratls/http.h"

namespace ratls {
namespace {

Request with_body(std::string body) {
  Request request;
  request.body = std::move(body);
  return request;
}

TEST(RequestJson, ReadsObjects) {
  const auto value = with_body(R"({"a": [1, "]}"]})").json();
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->at("a").at(0), 1);
}

TEST(RequestJson, RefusesWhatIsNoJson) {
  for (const char* body : {"", "{", "{\"a\": }", "\xff", "{} {}", "nul"}) {
    const auto value = with_body(body).json();
    ASSERT_FALSE(value.has_value()) << body;
    EXPECT_EQ(value.error().code(), Code::usage);
  }
}

TEST(RequestJson, RefusesDeepNesting) {
  const auto nested = [](std::size_t depth) {
    return with_body(std::string(depth, '[') + std::string(depth, ']')).json();
  };
  EXPECT_TRUE(nested(100).has_value());
  EXPECT_FALSE(nested(101).has_value());
  EXPECT_FALSE(nested(1000000).has_value());
  EXPECT_TRUE(with_body("\"" + std::string(1000, '[') + "\"").json().has_value());
}

TEST(RequestJson, RefusesTooManyValues) {
  const auto list = [](std::size_t values) {
    std::string text = "[1";
    while (--values > 0) text += ",1";
    return with_body(text + "]").json();
  };
  EXPECT_TRUE(list(100000).has_value());
  EXPECT_FALSE(list(1001000).has_value());
}

TEST(RequestHeader, FindsTheFirstInAnySpelling) {
  Request request;
  request.headers = {{"X-One", "1"}, {"x-one", "2"}};
  EXPECT_EQ(request.header("X-ONE"), "1");
  EXPECT_EQ(request.header("X-Two"), "");
}

TEST(ResponseJson, ReplacesWhatIsNoUtf8) {
  const Response response = Response::json({{"a", "\xff"}}, 201);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "{\"a\":\"\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace ratls
