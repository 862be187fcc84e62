// SPDX-License-Identifier: Apache-2.0
#include "base/proxy.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace ratls {
namespace {

class EnvironmentProxy : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy",
                             "no_proxy", "NO_PROXY"}) {
      ::unsetenv(name);
    }
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
  // Whether this list of exceptions keeps the proxy from a host.
  static bool excepts(const std::string& list, const std::string& host) {
    set("https_proxy", "http://proxy:1");
    set("no_proxy", list);
    return environment_proxy(host).value().empty();
  }
};

TEST_F(EnvironmentProxy, IsNoneByDefault) {
  set("http_proxy", "http://proxy:1");  // for plain HTTP only
  EXPECT_EQ(environment_proxy("host").value(), "");
}

TEST_F(EnvironmentProxy, HasAnOrder) {
  for (const char* name : {"ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"}) {
    set(name, std::string("http://") + name);
    EXPECT_EQ(environment_proxy("host").value(), std::string("http://") + name);
  }
  set("https_proxy", "");
  EXPECT_EQ(environment_proxy("host").value(), "http://HTTPS_PROXY");
}

TEST_F(EnvironmentProxy, RefusesHttpsUnlessTheHostIsExcepted) {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    set(name, "https://proxy");
    const auto proxy = environment_proxy("host");
    ASSERT_FALSE(proxy) << name;
    EXPECT_EQ(proxy.error().code(), Code::proxy_unsupported);
    ::unsetenv(name);
  }
  set("https_proxy", "https://proxy");
  set("NO_PROXY", "host");
  EXPECT_EQ(environment_proxy("host").value(), "");
  set("no_proxy", "other");  // goes before NO_PROXY
  EXPECT_FALSE(environment_proxy("host"));
}

TEST_F(EnvironmentProxy, ExceptsNamesWithTheirSubdomains) {
  const std::string list = "other, .example.org,localhost";
  EXPECT_TRUE(excepts(list, "Example.org"));
  EXPECT_TRUE(excepts(list, "a.example.org"));
  EXPECT_TRUE(excepts(list, "LOCALHOST"));
  EXPECT_FALSE(excepts(list, "badexample.org"));
  EXPECT_FALSE(excepts(list, "example.org.evil.com"));
  EXPECT_FALSE(excepts(list, "org"));
  EXPECT_FALSE(excepts("", "host"));
  EXPECT_FALSE(excepts(",", "host"));
  EXPECT_TRUE(excepts(" * ", "host"));
  EXPECT_FALSE(excepts("*.example.org", "a.example.org"));
}

TEST_F(EnvironmentProxy, ExceptsAddresses) {
  EXPECT_TRUE(excepts("other,127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(excepts("127.0.0.1", "10.127.0.0.1"));
  EXPECT_FALSE(excepts("0.0.1", "127.0.0.1"));
  EXPECT_TRUE(excepts("::1", "[::1]"));
  EXPECT_TRUE(excepts("[0:0::1]", "::1"));
  EXPECT_FALSE(excepts("::2", "[::1]"));
}

TEST_F(EnvironmentProxy, ExceptsRangesOfAddresses) {
  EXPECT_TRUE(excepts("10.0.0.0/8", "10.200.3.4"));
  EXPECT_FALSE(excepts("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(excepts("192.168.4.0/23", "192.168.5.255"));
  EXPECT_FALSE(excepts("192.168.4.0/23", "192.168.6.0"));
  EXPECT_TRUE(excepts("0.0.0.0/0", "8.8.8.8"));
  EXPECT_TRUE(excepts("fd00::/8", "[fd12::1]"));
  EXPECT_FALSE(excepts("fd00::/8", "fe80::1"));
  for (const char* wrong : {"10.0.0.0/", "10.0.0.0/33", "10.0.0.0/x", "/8", "10.0.0/8", "10/8"}) {
    EXPECT_FALSE(excepts(wrong, "10.0.0.1")) << wrong;
  }
  EXPECT_FALSE(excepts("::/0", "10.0.0.1"));
  EXPECT_FALSE(excepts("0.0.0.0/0", "host"));
}

TEST(ProxyUrl, TakesHttpAndSocks) {
  EXPECT_EQ(proxy_url("proxy:3128").value(), "http://proxy:3128");
  for (const char* url : {"http://u:p@proxy:1", "HTTP://proxy", "socks5://proxy",
                          "socks5h://proxy:1", "socks4a://proxy", "socks4://proxy"}) {
    EXPECT_EQ(proxy_url(url).value(), url);
  }
}

TEST(ProxyUrl, RefusesOthersWithoutRepeatingThem) {
  for (const char* url : {"https://u:secret@proxy", "HTTPS://u:secret@proxy", "ftp://secret",
                          "quic://secret", "http://secret proxy", "http://secret\r\n"}) {
    const auto proxy = proxy_url(url);
    ASSERT_FALSE(proxy) << url;
    EXPECT_EQ(proxy.error().code(), Code::proxy_unsupported);
    EXPECT_EQ(proxy.error().message().find("secret"), std::string::npos);
  }
}

TEST(ShownProxy, HasNoPassword) {
  EXPECT_EQ(shown_proxy("http://proxy:1"), "http://proxy:1");
  EXPECT_EQ(shown_proxy("http://user:pass@proxy:1"), "http://proxy:1");
  EXPECT_EQ(shown_proxy("socks5h://user:p@ss@proxy"), "socks5h://proxy");
  EXPECT_EQ(shown_proxy(""), "");
}

}  // namespace
}  // namespace ratls
