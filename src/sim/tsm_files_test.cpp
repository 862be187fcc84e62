// SPDX-License-Identifier: Apache-2.0
#include "sim/tsm_files.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ratls::sim {
namespace {

class TsmFilesTest : public ::testing::Test {
 protected:
  std::string content(std::string_view path) {
    const auto opened = files_.open(path, Access::read);
    EXPECT_EQ(opened.error, 0) << path;
    std::string out(as_text(files_.read(opened.handle, 0, 4096)));
    files_.close(opened.handle);
    return out;
  }
  int opening(std::string_view path, Access access = Access::read) {
    return files_.open(path, access).error;
  }

  // The quote is its report data.
  TsmFiles files_{[](const ReportData& data) {
    return Result<Bytes>(Bytes(data.bytes.begin(), data.bytes.end()));
  }};
  const std::string data_ = std::string(64, 'a');
};

TEST_F(TsmFilesTest, AFolderHoldsTheFilesOfTheKernel) {
  EXPECT_EQ(files_.make_folder("/one"), 0);
  EXPECT_EQ(files_.make_folder("/one"), EEXIST);
  EXPECT_EQ(files_.names("/"), std::vector<std::string>{"one"});
  EXPECT_EQ(files_.names("/one").size(), 4U);
  EXPECT_TRUE(files_.find("/one")->is_directory);
  EXPECT_EQ(files_.find("/one/inblob")->mode & 0777U, 0200U);
  EXPECT_EQ(files_.find("/one/outblob")->mode & 0777U, 0444U);
  EXPECT_FALSE(files_.find("/one/auxblob").has_value());
  EXPECT_FALSE(files_.find("/two/inblob").has_value());
  EXPECT_EQ(content("/one/provider"), "tdx_guest\n");
  EXPECT_EQ(files_.remove_folder("/one"), 0);
  EXPECT_EQ(files_.remove_folder("/one"), ENOENT);
  EXPECT_EQ(opening("/one/provider"), ENOENT);
}

TEST_F(TsmFilesTest, AWriteRaisesTheGeneration) {
  files_.make_folder("/one");
  EXPECT_EQ(content("/one/generation"), "0\n");
  EXPECT_EQ(opening("/one/outblob"), EINVAL);
  EXPECT_EQ(files_.write("/one/inblob", as_bytes(data_)), 0);
  EXPECT_EQ(content("/one/generation"), "1\n");
  EXPECT_EQ(content("/one/outblob"), data_);
  EXPECT_EQ(files_.write("/one/inblob", as_bytes("short")), EINVAL);
  EXPECT_EQ(content("/one/generation"), "1\n");
}

TEST_F(TsmFilesTest, RefusesOtherWritesAndReads) {
  files_.make_folder("/one");
  EXPECT_EQ(files_.write("/one/outblob", as_bytes(data_)), EACCES);
  EXPECT_EQ(files_.write("/two/inblob", as_bytes(data_)), EACCES);
  EXPECT_EQ(opening("/one/provider", Access::write), EACCES);
  EXPECT_EQ(opening("/one/inblob"), EACCES);
  EXPECT_EQ(files_.make_folder("/one/two"), EACCES);
}

}  // namespace
}  // namespace ratls::sim
