// SPDX-License-Identifier: Apache-2.0
#include "http/local_proxy.h"

#include <gmock/gmock.h>

namespace ratls::http {
namespace {

const LocalProxy kProxy{{"127.0.0.1", "localhost"}, 8080, "stats.example:8443"};

int status_for(const Headers& headers, const std::string& target = "/",
               const LocalProxy& proxy = kProxy) {
  Request request;
  request.target = target;
  request.headers = headers;
  const auto problem = check_local_request(request, proxy);
  return problem ? problem->status : 200;
}

std::string localized(const std::string& name, const std::string& value) {
  Headers headers{{name, value}};
  make_local(headers, kProxy, "localhost:8080");
  return headers.empty() ? "left out" : headers[0].second;
}

TEST(CheckLocalRequest, TakesItsNamesOnly) {
  EXPECT_EQ(status_for({{"Host", "127.0.0.1:8080"}}), 200);
  EXPECT_EQ(status_for({{"Host", "Stats.LocalHost:8080"}}), 200);
  for (const char* host : {"127.0.0.1", "127.0.0.1:80800", "localhost.:8080", "xlocalhost:8080",
                           "stats.example:8443", "127.0.0.1:8080:8080", ":8080", ""}) {
    EXPECT_EQ(status_for({{"Host", host}}), 421) << host;
  }
  EXPECT_EQ(status_for({}), 421);
  EXPECT_EQ(status_for({{"Host", "a.localhost:8080"}}, "/", {{"10.0.0.1"}, 8080, "h"}), 421);
}

TEST(CheckLocalRequest, KnowsTheDefaultPort) {
  const LocalProxy proxy{{"localhost"}, 80, "stats.example"};
  EXPECT_EQ(status_for({{"Host", "localhost"}}, "/", proxy), 200);
  EXPECT_EQ(status_for({{"Host", "localhost:80"}}, "/", proxy), 200);
  EXPECT_EQ(status_for({{"Host", "localhost:8080"}}, "/", proxy), 421);
}

TEST(CheckLocalRequest, LooksAtAnAbsoluteFormToo) {
  const Headers headers{{"Host", "localhost:8080"}};
  EXPECT_EQ(status_for(headers, "http://localhost:8080/a"), 200);
  for (const char* target : {"http://evil.example/a", "http://localhost:8080@evil.example/",
                             "http://localhost:8080.evil.example/"}) {
    EXPECT_EQ(status_for(headers, target), 421) << target;
  }
}

TEST(CheckLocalRequest, RefusesWhatPagesOfOthersAskFor) {
  const auto with = [](const char* name, const char* value) {
    return status_for({{"Host", "localhost:8080"}, {name, value}});
  };
  EXPECT_EQ(with("Sec-Fetch-Site", "same-origin"), 200);
  EXPECT_EQ(with("Sec-Fetch-Site", "none"), 200);
  EXPECT_EQ(with("Sec-Fetch-Site", "same-site"), 403);
  EXPECT_EQ(with("Sec-Fetch-Site", "cross-site"), 403);
  EXPECT_EQ(with("Origin", "http://localhost:8080"), 200);
  EXPECT_EQ(with("Origin", "null"), 403);
  EXPECT_EQ(with("Origin", "http://127.0.0.1:8080"), 403);  // another origin than the Host's
  EXPECT_EQ(with("Origin", "https://localhost:8080"), 403);
  EXPECT_EQ(with("Referer", "http://localhost:8080/a"), 200);
  EXPECT_EQ(with("Referer", "http://localhost:80801/a"), 403);
}

TEST(MakeLocal, KeepsLocationsWithinTheServer) {
  const auto location = [](const char* value) { return localized("location", value); };
  EXPECT_EQ(location("https://stats.example:8443"), "http://localhost:8080");
  // To the server, whose scheme is https, it would lead by http.
  EXPECT_EQ(location("//stats.example:8443/a"), "http://localhost:8080/a");
  EXPECT_EQ(location("//other.example/a"), "https://other.example/a");
  EXPECT_EQ(location("HTTPS://Stats.Example:8443/a?b#c"), "http://localhost:8080/a?b#c");
  EXPECT_EQ(location("https://stats.example:8443//evil.example/"),
            "http://localhost:8080//evil.example/");
  for (const char* value :
       {"/a", "https://stats.example/", "http://stats.example:8443/",
        "https://stats.example:8443@evil.example/", "https://stats.example:8443.evil.example/",
        "https://user@stats.example:8443/", "https://evil.example/https://stats.example:8443/"}) {
    EXPECT_EQ(location(value), value);
  }
}

TEST(MakeLocal, KnowsTheDefaultPortOfHttps) {
  Headers headers{{"Location", "https://stats.example:443/a"}};
  make_local(headers, {{"localhost"}, 8080, "stats.example"}, "localhost:8080");
  EXPECT_EQ(headers[0].second, "http://localhost:8080/a");
}

TEST(MakeLocal, TakesFromCookiesWhatBindsThemToTheServer) {
  const auto cookie = [](const char* value) { return localized("Set-Cookie", value); };
  EXPECT_EQ(cookie("a=b; Path=/; Secure; HttpOnly"), "a=b; Path=/; HttpOnly");
  EXPECT_EQ(cookie("a=b;DOMAIN = .stats.example ;secure ;SameSite= None"), "a=b");
  EXPECT_EQ(cookie("a=b; SameSite=Strict; Domain"), "a=b; SameSite=Strict");
  EXPECT_EQ(cookie("secure"), "secure");
  EXPECT_EQ(cookie("domain=x; Secured=1"), "domain=x; Secured=1");
  EXPECT_EQ(cookie("__Host-a=b; Secure; SameSite=None; Domain=x"),
            "__Host-a=b; Secure; SameSite=None");
  EXPECT_EQ(cookie(""), "");
}

TEST(MakeLocal, LeavesOutWhatSpeaksOfHttpsAndWhatOnlyWeSay) {
  EXPECT_EQ(localized("Strict-Transport-Security", "max-age=1"), "left out");
  EXPECT_EQ(localized("Alt-Svc", "h3=\":443\""), "left out");
  EXPECT_EQ(localized("x-ratls-error", "ok"), "left out");
  EXPECT_EQ(localized("X-Other", "https://stats.example:8443/"), "https://stats.example:8443/");
}

TEST(HeadersForServer, SpeakOfTheServer) {
  Request request;
  request.headers = {{"Host", "localhost:8080"},
                     {"Origin", "http://localhost:8080"},
                     {"referer", "http://LOCALHOST:8080/a?b"},
                     {"X-Other", "http://localhost:8080"}};
  EXPECT_EQ(headers_for_server(request, kProxy),
            (Headers{{"Origin", "https://stats.example:8443"},
                     {"referer", "https://stats.example:8443/a?b"},
                     {"X-Other", "http://localhost:8080"}}));
}

TEST(ProblemResponse, EscapesWordsOfOthers) {
  const Problem problem{502, Error(Code::identity_mismatch, "<script>", "\"a\"&b\n")};
  const Response page = problem_response(problem, "id", true);
  EXPECT_EQ(page.body.find("<script>"), std::string::npos);
  EXPECT_NE(page.body.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.body.find("&quot;a&quot;&amp;b?"), std::string::npos);
  const auto document = nlohmann::json::parse(problem_response(problem, "id", false).body);
  EXPECT_EQ(document["code"], "identity_mismatch");
  EXPECT_EQ(document["number"], 703);
  EXPECT_EQ(document["where"], "<script>");
}

}  // namespace
}  // namespace ratls::http
