// SPDX-License-Identifier: Apache-2.0
#include "server/app_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace ratls::server {
namespace {

TEST(AppProcess, AcceptsNothingBeforeTheAppDoes) {
  const std::string path =
      ::testing::TempDir() + "app_process_test-" + std::to_string(::getpid()) + ".sock";
  const std::vector<std::string> command = {"sh", "-c", "exec sleep 600", "{fd}"};
  AppProcess process =
      AppProcess::start(command, UpstreamAddress::unix_socket(path).value(), path).value();
  for (int look = 0; look < 5; ++look) EXPECT_FALSE(process.accepts());
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace ratls::server
