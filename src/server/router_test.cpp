// SPDX-License-Identifier: Apache-2.0
#include "server/router.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace ratls::server {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    router_.add("GET", "/a", [](const Request&) { return Response::text("got"); });
    router_.add("PUT", "/a", [](const Request& request) { return Response::text(request.body); });
    router_.add("GET", "/throws",
                [](const Request&) -> Response { throw std::runtime_error("secret"); });
    router_.add("GET", "/splits", [](const Request&) {
      return Response{200, {{"A", "b\r\nC: d"}}, ""};
    });
  }
  Response ask(std::string method, std::string path) const {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    return router_.answer(request);
  }
  Router router_;
};

TEST_F(RouterTest, FindsMethodAndPath) {
  EXPECT_EQ(ask("GET", "/a").body, "got");
  EXPECT_EQ(ask("PUT", "/a").status, 200);
}

TEST_F(RouterTest, AnswersHeadLikeGet) { EXPECT_EQ(ask("HEAD", "/a").body, "got"); }

TEST_F(RouterTest, KeepsRatlsPathsFromEveryRoute) {
  for (const char* path :
       {"/.well-known/ratls", "/.well-known/ratls/", "/.well-known/ratls/collateral",
        "/.well-known/ratls/any", "/%2ewell-known/%72atls/x", "/.well-known%2Fratls/x",
        "//.well-known//ratls/x", "/a/../.well-known/./ratls/x", "/a/%2e%2E/.well-known/ratls"}) {
    router_.add("GET", path, [](const Request&) { return Response::text("app"); });
    EXPECT_EQ(ask("GET", path).status, 404) << path;
    EXPECT_EQ(ask("POST", path).status, 404) << path;
  }
  for (const char* path : {"/.well-known/ratlsx", "/.well-known/other", "/a/.well-known/ratls",
                           "/%", "/%zz", "/.well-known/ratls/../x"}) {
    router_.add("GET", path, [](const Request&) { return Response::text("app"); });
    EXPECT_EQ(belongs_to_ratls(path), std::string_view(path) == "/.well-known/ratls/../x") << path;
  }
  EXPECT_EQ(ask("GET", "/.well-known/other").body, "app");
}

TEST_F(RouterTest, PrefersARouteForHead) {
  router_.add("HEAD", "/a", [](const Request&) { return Response::text("head"); });
  EXPECT_EQ(ask("HEAD", "/a").body, "head");
}

TEST_F(RouterTest, AnswersUnknownPathsWith404) {
  for (const char* path : {"/", "/A", "/a/", "/a/b", "", "/%61"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
}

TEST_F(RouterTest, NamesTheMethodsWith405) {
  const Response response = ask("POST", "/a");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.back(),
            (std::pair<std::string, std::string>("Allow", "GET, HEAD, PUT")));
  EXPECT_EQ(ask("get", "/a").status, 405);
}

TEST_F(RouterTest, MakesThrowsAnonymous500) {
  const Response response = ask("GET", "/throws");
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
}

TEST_F(RouterTest, RefusesResponsesThatSplit) { EXPECT_EQ(ask("GET", "/splits").status, 500); }

}  // namespace
}  // namespace ratls::server
