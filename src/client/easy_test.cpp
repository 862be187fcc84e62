// SPDX-License-Identifier: Apache-2.0
#include "client/easy.h"

#include <gtest/gtest.h>

namespace ratls::client {
namespace {

TEST(Options, RememberARefusedOption) {
  const auto easy = new_easy();
  ASSERT_TRUE(easy);
  Options set(easy->get());
  EXPECT_TRUE(set.set(CURLOPT_NOSIGNAL, 1L).done());
  set.set(static_cast<CURLoption>(9999), 1L).set(CURLOPT_NOSIGNAL, 1L);
  ASSERT_FALSE(set.done());
  EXPECT_EQ(set.done().error().code(), Code::internal);
}

TEST(SetConnection, UsesOptionsThatThisLibcurlKnows) {
  const auto easy = new_easy();
  ASSERT_TRUE(easy);
  Options set(easy->get());
  set_connection(easy->get(), set, *parse_url("https://host"), {}, {}, {});
  EXPECT_TRUE(set.done());
}

}  // namespace
}  // namespace ratls::client
