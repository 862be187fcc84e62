// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/reader.h"

namespace ratls {
namespace {

class Files : public ::testing::Test {
 protected:
  Files() {
    char name[] = "/tmp/ratls-file-test-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  ~Files() override { std::filesystem::remove_all(dir_); }

  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0);
    return info.st_mode & 0777U;
  }

  std::filesystem::path dir_;
};

TEST_F(Files, NewFilesHaveTheirModeAndAreNeverOverwritten) {
  const auto path = dir_ / "key";
  ASSERT_TRUE(write_new_file(path, as_bytes("secret"), FileMode::secret).has_value());
  EXPECT_EQ(mode_of(path), 0600u);
  const auto again = write_new_file(path, as_bytes("other"), FileMode::secret);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code(), Code::file_unwritable);
  EXPECT_EQ(as_text(read_file(path, 100).value()), "secret");
}

TEST_F(Files, NewFilesAreNotWrittenThroughALink) {
  std::filesystem::create_symlink(dir_ / "target", dir_ / "link");
  EXPECT_FALSE(write_new_file(dir_ / "link", as_bytes("x"), FileMode::secret).has_value());
  EXPECT_FALSE(std::filesystem::exists(dir_ / "target"));
}

TEST_F(Files, ReplacingALinkLeavesItsTargetAlone) {
  ASSERT_TRUE(write_new_file(dir_ / "target", as_bytes("old"), FileMode::shared).has_value());
  std::filesystem::create_symlink(dir_ / "target", dir_ / "link");
  ASSERT_TRUE(replace_file(dir_ / "link", as_bytes("new"), FileMode::secret).has_value());
  EXPECT_EQ(as_text(read_file(dir_ / "target", 100).value()), "old");
  EXPECT_EQ(as_text(read_file(dir_ / "link", 100).value()), "new");
  EXPECT_EQ(mode_of(dir_ / "link"), 0600u);
}

TEST_F(Files, ReplacingLeavesNoTemporaryFileBehind) {
  std::filesystem::create_directory(dir_ / "taken");
  EXPECT_FALSE(replace_file(dir_ / "taken", as_bytes("x"), FileMode::shared).has_value());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1);
}

// Two threads with one temporary name would lose a write or rename a half-written file.
TEST_F(Files, ThreadsReplaceTheSameFile) {
  constexpr int kThreads = 8;
  constexpr int kTimes = 25;
  const auto path = dir_ / "key";
  std::atomic<int> failures = 0;
  std::atomic<bool> torn = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::string content(20000, static_cast<char>('a' + i));
      for (int n = 0; n < kTimes; ++n) {
        if (!replace_file(path, as_bytes(content), FileMode::secret)) ++failures;
        const auto seen = read_file(path, content.size());
        if (!seen || seen->size() != content.size() ||
            std::ranges::any_of(*seen, [&](auto byte) { return byte != seen->front(); })) {
          torn = true;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_FALSE(torn);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1);
}

TEST_F(Files, ReplacingIsNotDisturbedByAnInterruptedAttempt) {
  const auto left_over = dir_ / "key.new0123456789abcdef";
  ASSERT_TRUE(write_new_file(left_over, as_bytes("half"), FileMode::secret).has_value());
  ASSERT_TRUE(replace_file(dir_ / "key", as_bytes("whole"), FileMode::secret).has_value());
  EXPECT_EQ(as_text(read_file(dir_ / "key", 100).value()), "whole");
}

TEST(TemporaryFiles, AreKnownByTheirNames) {
  EXPECT_TRUE(is_temporary_of("key.new0123456789abcdef", "key"));
  EXPECT_TRUE(is_temporary_of("key.new4711", "key"));
  for (const char* name : {"key", "key.new", "key.newer", "key.new12x", "other.new12", "xkey.new12",
                           "key.old12", "ke", ""}) {
    EXPECT_FALSE(is_temporary_of(name, "key")) << name;
  }
}

TEST_F(Files, ReadingIsBounded) {
  ASSERT_TRUE(write_new_file(dir_ / "f", as_bytes("12345"), FileMode::shared).has_value());
  EXPECT_TRUE(read_file(dir_ / "f", 5).has_value());
  EXPECT_EQ(read_file(dir_ / "f", 4).error().code(), Code::file_unreadable);
  EXPECT_EQ(read_file("/dev/zero", 1000).error().code(), Code::file_unreadable);
  EXPECT_EQ(read_file(dir_ / "missing", 10).error().code(), Code::file_unreadable);
  EXPECT_EQ(read_file(dir_, 10).error().code(), Code::file_unreadable);
}

}  // namespace
}  // namespace ratls
