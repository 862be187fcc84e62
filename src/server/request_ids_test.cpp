// SPDX-License-Identifier: Apache-2.0
#include "server/request_ids.h"

#include <gtest/gtest.h>

#include <set>

namespace ratls::server {
namespace {

TEST(RequestIds, AreDifferent) {
  RequestIds ids;
  RequestIds others;
  std::set<std::string> seen;
  constexpr std::size_t kMany = 1000;  // more than are made at once
  for (std::size_t count = 0; count < kMany; ++count) {
    for (const std::string& id : {ids.next(), others.next()}) {
      EXPECT_EQ(id.size(), 32u);
      EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
      seen.insert(id);
    }
  }
  EXPECT_EQ(seen.size(), 2 * kMany);
}

}  // namespace
}  // namespace ratls::server
