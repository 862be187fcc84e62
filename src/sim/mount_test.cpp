// SPDX-License-Identifier: Apache-2.0
#include "sim/mount.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/reader.h"
#include "sim/attestation_files.h"
#include "support/mounted_files.h"

namespace ratls::sim {
namespace {

namespace fs = std::filesystem;

constexpr UnixTime kNow{std::chrono::seconds(1768478400)};

bool is_mount_point(const fs::path& path) {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string device, where, rest; mounts >> device >> where && std::getline(mounts, rest);) {
    if (where == path) return true;
  }
  return false;
}

class MountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ratls::testing::fuse_permitted()) GTEST_SKIP() << "FUSE cannot be mounted here";
    AttestationFiles files(Platform::init(dir_.path() / "sim", {}, kNow).value());
    mounted_.emplace(files, mountpoint_);
    ASSERT_TRUE(mounted_->is_ready()) << "the mount did not come up";
  }

  int write_report_data(std::string_view data) const {
    const int fd = ::open((mountpoint_ / "user_report_data").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const bool written = ::write(fd, data.data(), data.size()) == static_cast<ssize_t>(data.size());
    const int error = written ? 0 : errno;
    ::close(fd);
    return error;
  }
  Bytes read_all(const char* name) const { return read_file(mountpoint_ / name, 65536).value(); }
  std::string quoted() const {
    const Quote quote = parse_quote(read_all("quote")).value();
    return std::string(as_text(quote.report_data().view()));
  }

  ratls::testing::TemporaryDir dir_;
  fs::path mountpoint_ = dir_.path() / "attestation";
  std::optional<ratls::testing::MountedFiles> mounted_;
};

TEST_F(MountTest, ListsGraminesFiles) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(mountpoint_)) {
    names.insert(entry.path().filename().string());
    EXPECT_EQ(entry.file_size(), 0U);
  }
  EXPECT_EQ(names, (std::set<std::string>{"attestation_type", "quote", "user_report_data"}));
  EXPECT_EQ(as_text(read_all("attestation_type")), "dcap");
}

TEST_F(MountTest, QuotesTheReportDataThatWasWritten) {
  EXPECT_EQ(write_report_data(std::string(64, 'x')), 0);
  EXPECT_EQ(quoted(), std::string(64, 'x'));
  EXPECT_EQ(write_report_data("second"), 0);
  EXPECT_EQ(quoted(), "second" + std::string(58, '\0'));
  EXPECT_EQ(as_text(read_all("user_report_data")), "second" + std::string(58, '\0'));
}

TEST_F(MountTest, ASecondWriteToTheSameFileReplacesToo) {
  const int fd = ::open((mountpoint_ / "user_report_data").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(::write(fd, "first", 5), 5);
  EXPECT_EQ(::write(fd, "2", 1), 1);
  ::close(fd);
  EXPECT_EQ(quoted(), "2" + std::string(63, '\0'));
}

TEST_F(MountTest, RefusesTooMuchReportDataAndOtherWrites) {
  EXPECT_EQ(write_report_data(std::string(65, 'x')), EINVAL);
  EXPECT_EQ(::open((mountpoint_ / "quote").c_str(), O_WRONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, EACCES);
  EXPECT_EQ(::open((mountpoint_ / "report").c_str(), O_RDONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(::open((mountpoint_ / "new").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), -1);
}

TEST_F(MountTest, WorksFromAShell) {
  const std::string command = "cd " + mountpoint_.string() +
                              " && printf abc > user_report_data && cat quote > ../quote.bin";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const Bytes bytes = read_file(dir_.path() / "quote.bin", 65536).value();
  EXPECT_EQ(as_text(parse_quote(bytes).value().report_data().view()).substr(0, 4),
            std::string_view("abc\0", 4));
}

TEST_F(MountTest, EachOpenQuoteIsItsOwn) {
  const auto open_quote = [&] {
    return ::open((mountpoint_ / "quote").c_str(), O_RDONLY | O_CLOEXEC);
  };
  const auto first_byte = [](int fd) {
    Bytes bytes(65536);
    bytes.resize(
        static_cast<std::size_t>(std::max<ssize_t>(::read(fd, bytes.data(), bytes.size()), 0)));
    ::close(fd);
    return parse_quote(bytes).value().report_data().bytes[0];
  };
  ASSERT_EQ(write_report_data("a"), 0);
  const int a = open_quote();
  ASSERT_EQ(write_report_data("b"), 0);
  const int b = open_quote();
  EXPECT_EQ(first_byte(b), 'b');
  EXPECT_EQ(first_byte(a), 'a');
}

TEST_F(MountTest, ServesSeveralProcessesAtOnce) {
  const std::string reader = "for i in 1 2 3 4 5 6 7 8; do cat " +
                             (mountpoint_ / "quote").string() +
                             " | wc -c | grep -qx \"$size\" || exit 1; done";
  const std::string command =
      "size=$(wc -c < " + (mountpoint_ / "quote").string() +
      "); export size; for n in 1 2 3 4; do sh -c '" + reader +
      "' & all=\"$all $!\"; done; for n in $all; do wait $n || exit 1; done";
  // ECDSA signatures of a quote are raw, so its size never changes.
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST_F(MountTest, UnmountsOnSigintAndWithAnOpenFile) {
  const int fd = ::open((mountpoint_ / "quote").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  EXPECT_TRUE(is_mount_point(mountpoint_));
  EXPECT_EQ(mounted_->stop(SIGINT), 0);
  EXPECT_FALSE(is_mount_point(mountpoint_));
  ::close(fd);
}

TEST_F(MountTest, GoesAwayWithAKilledProcess) {
  if (::access("/usr/bin/fusermount3", X_OK) != 0) GTEST_SKIP() << "needs fusermount3";
  // It finds the mount in there; bare root folders have none.
  if (::access("/etc/mtab", R_OK) != 0) GTEST_SKIP() << "fusermount3 needs /etc/mtab";
  EXPECT_EQ(mounted_->stop(SIGKILL), -SIGKILL);
  // fusermount3 does it, in its own time.
  for (int i = 0; i < 1000 && is_mount_point(mountpoint_); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(is_mount_point(mountpoint_));
}

TEST_F(MountTest, EndsWhenUnmountedFromOutside) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(::umount2(mountpoint_.c_str(), 0), 0);
  EXPECT_EQ(mounted_->wait(), 0);
}

TEST(MountFiles, RefusesABadMountPoint) {
  const ratls::testing::TemporaryDir dir;
  AttestationFiles files(Platform::init(dir.path() / "sim", {}, kNow).value());
  const auto never = [] { FAIL() << "nothing is mounted"; };
  const auto absent = mount_files(files, dir.path() / "absent", never);
  ASSERT_FALSE(absent.has_value());
  EXPECT_EQ(absent.error().code(), Code::platform_unavailable);
  const auto full = mount_files(files, dir.path() / "sim", never);
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code(), Code::platform_unavailable);
  const auto file = mount_files(files, dir.path() / "sim" / "root.pem", never);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code(), Code::platform_unavailable);
}

}  // namespace
}  // namespace ratls::sim
