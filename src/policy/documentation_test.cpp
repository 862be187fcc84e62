// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "ratls/policy.h"
#include "support/source_dir.h"

namespace ratls {
namespace {

// The text of each ```toml block of docs/policy.md.
std::vector<std::string> documented_policies() {
  const auto path = ratls::testing::source_dir() / "docs" / "policy.md";
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```toml") {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

TEST(PolicyDocumentation, HasOnlyExamplesThatAreRead) {
  std::string dir = ::testing::TempDir() + "ratls_documentation_XXXXXX";
  ASSERT_NE(::mkdtemp(dir.data()), nullptr);
  std::ofstream(std::filesystem::path(dir) / "root.pem") << "a root";
  const auto policies = documented_policies();
  EXPECT_EQ(policies.size(), 8u);
  for (const std::string& text : policies) {
    const auto policy = parse_policy(text, dir);
    EXPECT_TRUE(policy.has_value())
        << (policy ? "" : policy.error().where() + ": " + policy.error().detail()) << "\n"
        << text;
  }
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace ratls
