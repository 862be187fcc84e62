// SPDX-License-Identifier: Apache-2.0
#include "client/url.h"

#include <gtest/gtest.h>

namespace ratls::client {
namespace {

Code code_of(const Result<Url>& url) { return url ? Code::ok : url.error().code(); }

TEST(ParseUrl, ReadsOriginPathAndQuery) {
  const auto url = parse_url("https://example.org/a/b?c=d#e");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin, "https://example.org:443");
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->text(), "https://example.org:443/a/b?c=d");
}

TEST(ParseUrl, ReadsAddresses) {
  const auto v6 = parse_url("https://[::1]:8000");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->text(), "https://[::1]:8000/");
  const auto zone = parse_url("https://[fe80::1%25eth0]:8000/");
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->host, "fe80::1");
  EXPECT_EQ(zone->origin, "https://[fe80::1%25eth0]:8000");
}

TEST(ParseUrl, RefusesWhatIsNoHttpsUrl) {
  for (const char* text :
       {"", "example.org", "localhost:8000", "http://example.org/", "ftp://example.org/",
        "HTTPX://example.org", "https://", "https:///a", "https://:8000/", "file:///etc/passwd",
        "https://a b/", "https://host:99999/", "https://host:x/", "https://ho\\st/"}) {
    EXPECT_EQ(code_of(parse_url(text)), Code::url_invalid) << text;
  }
}

TEST(ParseUrl, RefusesControlCharactersAndSpaces) {
  EXPECT_EQ(code_of(parse_url("https://host/a b")), Code::url_invalid);
  EXPECT_EQ(code_of(parse_url("https://host/a\r\nX: y")), Code::url_invalid);
  EXPECT_EQ(code_of(parse_url("https://host/\x7f")), Code::url_invalid);
  EXPECT_EQ(code_of(parse_url(std::string("https://host/a\0b", 16))), Code::url_invalid);
}

TEST(ParseUrl, RefusesUserinfoWithoutRepeatingIt) {
  for (const char* text : {"https://user@host/", "https://user:secret@host/", "https://@host/",
                           "https://:secret@host"}) {
    const auto url = parse_url(text);
    ASSERT_EQ(code_of(url), Code::url_invalid) << text;
    EXPECT_EQ((url.error().where() + url.error().detail()).find("secret"), std::string::npos);
  }
  EXPECT_TRUE(parse_url("https://host/@a?b=@"));
}

TEST(AtPath, AppendsToTheBase) {
  const auto base = parse_url("https://host:1/api/");
  ASSERT_TRUE(base);
  EXPECT_EQ(at_path(*base, "/x?y=1")->text(), "https://host:1/api/x?y=1");
  EXPECT_EQ(at_path(*base, "")->text(), "https://host:1/api/");
  EXPECT_EQ(at_path(*parse_url("https://host:1"), "/")->text(), "https://host:1/");
}

TEST(AtPath, CannotLeaveTheOrigin) {
  const auto base = parse_url("https://host:1");
  ASSERT_TRUE(base);
  EXPECT_EQ(at_path(*base, "//evil.example/")->origin, base->origin);
  EXPECT_EQ(at_path(*base, "/@evil.example/")->origin, base->origin);
  EXPECT_EQ(code_of(at_path(*base, "@evil.example/")), Code::url_invalid);
  EXPECT_EQ(code_of(at_path(*base, ".evil.example/")), Code::url_invalid);
  EXPECT_EQ(code_of(at_path(*base, "/a\r\nb")), Code::url_invalid);
  EXPECT_EQ(code_of(at_path(*parse_url("https://host/?q"), "/a")), Code::url_invalid);
}

TEST(Redirected, FollowsWithinTheOrigin) {
  const auto current = parse_url("https://host/a/b?c");
  ASSERT_TRUE(current);
  EXPECT_EQ(redirected(*current, "/d")->text(), "https://host:443/d");
  EXPECT_EQ(redirected(*current, "d?e")->text(), "https://host:443/a/d?e");
  EXPECT_EQ(redirected(*current, "?e")->text(), "https://host:443/a/b?e");
  EXPECT_EQ(redirected(*current, "https://HOST:443/d")->path, "/d");
}

TEST(Redirected, RefusesAllElse) {
  const auto current = parse_url("https://host/a");
  ASSERT_TRUE(current);
  for (const char* location :
       {"http://host/a", "https://other/", "//other/", "https://host:444/", "https://host@other/",
        "https://user@host/", "https://host.other/", "ftp://host/", "javascript:alert(1)",
        "https://host./a", "https://", "/\x01"}) {
    EXPECT_EQ(code_of(redirected(*current, location)), Code::redirect_refused) << location;
  }
}

}  // namespace
}  // namespace ratls::client
