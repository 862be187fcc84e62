// SPDX-License-Identifier: Apache-2.0
#include "client/options.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace ratls::client {
namespace {

class ChooseProxy : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy",
                             "no_proxy", "NO_PROXY"}) {
      ::unsetenv(name);
    }
  }
  static Result<Proxy> by_option(const std::string& proxy) {
    ClientOptions options;
    options.proxy = proxy;
    return choose_proxy(options, "host");
  }
  static Result<Proxy> by_environment(const std::string& host) {
    return choose_proxy(ClientOptions{}, host);
  }
};

TEST_F(ChooseProxy, TakesNoneByDefault) {
  ::setenv("http_proxy", "http://proxy:1", 1);  // for plain HTTP only
  const auto proxy = by_environment("host");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->url, "");
}

TEST_F(ChooseProxy, TakesHttpAndSocks) {
  EXPECT_EQ(by_option("proxy:3128")->url, "http://proxy:3128");
  for (const char* url : {"http://u:p@proxy:1", "HTTP://proxy", "socks5://proxy",
                          "socks5h://proxy:1", "socks4a://proxy", "socks4://proxy"}) {
    ASSERT_TRUE(by_option(url)) << url;
    EXPECT_EQ(by_option(url)->url, url);
  }
}

TEST_F(ChooseProxy, RefusesOthersWithoutRepeatingThem) {
  for (const char* url : {"https://u:secret@proxy", "HTTPS://u:secret@proxy", "ftp://secret",
                          "quic://secret", "http://secret proxy", "http://secret\r\n"}) {
    const auto proxy = by_option(url);
    ASSERT_FALSE(proxy) << url;
    EXPECT_EQ(proxy.error().code(), Code::proxy_unsupported);
    EXPECT_EQ(proxy.error().message().find("secret"), std::string::npos);
  }
}

TEST_F(ChooseProxy, RefusesHttpsProxyOfTheEnvironment) {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    ::setenv(name, "https://proxy", 1);
    const auto proxy = by_environment("host");
    ASSERT_FALSE(proxy) << name;
    EXPECT_EQ(proxy.error().code(), Code::proxy_unsupported);
    ::unsetenv(name);
  }
}

TEST_F(ChooseProxy, HonoursNoProxy) {
  ::setenv("https_proxy", "https://proxy", 1);
  ::setenv("no_proxy", "other, .example.org,127.0.0.1", 1);
  EXPECT_EQ(by_environment("127.0.0.1")->url, "");
  EXPECT_EQ(by_environment("Example.org")->url, "");
  EXPECT_EQ(by_environment("a.example.org")->url, "");
  EXPECT_FALSE(by_environment("badexample.org"));
  EXPECT_FALSE(by_environment("10.127.0.0.1"));
  ::setenv("no_proxy", "*", 1);
  EXPECT_EQ(by_environment("host")->url, "");
}

TEST_F(ChooseProxy, OptionGoesBeforeTheEnvironment) {
  ::setenv("https_proxy", "https://proxy", 1);
  ::setenv("no_proxy", "*", 1);
  EXPECT_EQ(by_option("http://mine:1")->url, "http://mine:1");
  EXPECT_EQ(by_option("http://mine:1")->exceptions, "");
}

TEST_F(ChooseProxy, CanIgnoreTheEnvironment) {
  ::setenv("https_proxy", "https://proxy", 1);
  ClientOptions options;
  options.use_environment_proxy = false;
  const auto proxy = choose_proxy(options, "host");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->url, "");
}

TEST(CheckOptions, RefusesSenselessLimits) {
  EXPECT_TRUE(check_options({}));
  ClientOptions options;
  options.connect_timeout = std::chrono::milliseconds(0);
  EXPECT_EQ(check_options(options).error().code(), Code::usage);
  options = {};
  options.stall_timeout = std::chrono::milliseconds(-1);
  EXPECT_EQ(check_options(options).error().code(), Code::usage);
  options = {};
  options.retries = -1;
  EXPECT_EQ(check_options(options).error().code(), Code::usage);
}

}  // namespace
}  // namespace ratls::client
