// SPDX-License-Identifier: Apache-2.0
#include "base/loopback.h"

#include <gtest/gtest.h>

namespace ratls {
namespace {

TEST(IsLoopback, KnowsThisMachine) {
  for (const char* host : {"127.0.0.1", "127.0.0.0", "127.1.2.3", "127.255.255.255", "::1", "[::1]",
                           "localhost", "LocalHost"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
}

TEST(IsLoopback, IsNotFooledByNames) {
  for (const char* host : {"127.0.0.1.evil.com", "127.evil.com", "127.0.0.1.", "127.0.0.1.2",
                           "127.0.0.1.nip.io", "127.0.0.a", "localhost.evil.com", "localhost.",
                           "evil-localhost", "alocalhost", "x127.0.0.1", "[::1].evil.com"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

TEST(IsLoopback, RefusesOtherAndOddAddresses) {
  for (const char* host : {"",
                           "0.0.0.0",
                           "126.0.0.1",
                           "128.0.0.1",
                           "10.0.0.1",
                           "1127.0.0.1",
                           "127",
                           "127.",
                           "127.1",
                           "127.0.1",
                           "127..0.1",
                           "127.0.0.",
                           "127.0.0.256",
                           "127.0.0.999",
                           "127.0.0.0001",
                           "127.0.0.01",
                           "0127.0.0.1",
                           "0x7f.0.0.1",
                           "127.0.0.-1",
                           "127.0.0.1 ",
                           " 127.0.0.1",
                           "2130706433",
                           "::",
                           "[::]",
                           "[::1",
                           "::1]",
                           "::2",
                           "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

TEST(HostOf, LeavesThePortOut) {
  EXPECT_EQ(host_of("h"), "h");
  EXPECT_EQ(host_of("h:8081"), "h");
  EXPECT_EQ(host_of("127.0.0.1:1"), "127.0.0.1");
  EXPECT_EQ(host_of("[::1]"), "[::1]");
  EXPECT_EQ(host_of("[::1]:8081"), "[::1]");
}

TEST(HostOf, IsEmptyWithoutAHost) {
  for (const char* authority : {"", ":1", "[::1", "[::1]evil.com", "[::1]1:2"}) {
    EXPECT_EQ(host_of(authority), "") << authority;
  }
}

}  // namespace
}  // namespace ratls
