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

TEST(CheckOptions, TakesAddressesForNames) {
  for (const char* entry : {"host:443:127.0.0.1", "a-b.example:1:[::1]", "A_1:65535:::1"}) {
    EXPECT_TRUE(check_options({.resolve = {entry}})) << entry;
  }
}

TEST(CheckOptions, RefusesOtherWordsForAddresses) {
  for (const char* entry : {"",
                            ":",
                            "::",
                            "host",
                            "host:443",
                            "host:443:",
                            ":443:127.0.0.1",
                            "host::127.0.0.1",
                            "host:0:127.0.0.1",
                            "host:0443:127.0.0.1",
                            "host:65536:127.0.0.1",
                            "host:100000:127.0.0.1",
                            "host:-1:127.0.0.1",
                            "host:x:127.0.0.1",
                            "host:443:name",
                            "host:443:1.2.3",
                            "host:443:127.0.0.1:",
                            "host:443:127.0.0.1,127.0.0.2",
                            "host:443:[127.0.0.1]",
                            "host:443:[::1",
                            "host:443:::1]",
                            "host:443:[]",
                            "host:443:[::1%lo]",
                            "*:443:127.0.0.1",
                            "+host:443:127.0.0.1",
                            "-host:443:127.0.0.1",
                            "-host:443",
                            "h st:443:127.0.0.1",
                            "host:443: 127.0.0.1",
                            "host\n:443:127.0.0.1"}) {
    const auto checked = check_options({.resolve = {"good:1:::1", entry}});
    ASSERT_FALSE(checked) << entry;
    EXPECT_EQ(checked.error().code(), Code::usage) << entry;
  }
}

TEST_F(ChooseProxy, TakesNoneByDefault) {
  ::setenv("http_proxy", "http://proxy:1", 1);  // for plain HTTP only
  const auto proxy = by_environment("host");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->url, "");
}

TEST_F(ChooseProxy, TakesWhatTheEnvironmentSaysOfTheHost) {
  ::setenv("https_proxy", "proxy:3128", 1);
  ::setenv("no_proxy", "other", 1);
  EXPECT_EQ(by_environment("host")->url, "http://proxy:3128");
  EXPECT_EQ(by_environment("other")->url, "");
}

TEST_F(ChooseProxy, RefusesHttpsProxies) {
  ::setenv("https_proxy", "https://proxy", 1);
  EXPECT_EQ(by_environment("host").error().code(), Code::proxy_unsupported);
  EXPECT_EQ(by_option("https://proxy").error().code(), Code::proxy_unsupported);
}

TEST_F(ChooseProxy, OptionGoesBeforeTheEnvironment) {
  ::setenv("https_proxy", "https://proxy", 1);
  ::setenv("no_proxy", "*", 1);
  EXPECT_EQ(by_option("http://mine:1")->url, "http://mine:1");
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
