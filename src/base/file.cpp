// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace ratls {
namespace {

Error file_error(Code code, const std::filesystem::path& path, int error_number) {
  return Error(code, path.string(), std::generic_category().message(error_number));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Zero when all was written, or the error number.
int write_all(int fd, BytesView content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

Result<Bytes> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return file_error(Code::file_unreadable, path, errno);
  Bytes content;
  std::array<std::uint8_t, 16384> chunk;
  for (;;) {
    const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(Code::file_unreadable, path, errno);
    if (count == 0) return content;
    if (content.size() + static_cast<std::size_t>(count) > max_bytes) {
      return Error(Code::file_unreadable, path.string(),
                   "larger than " + std::to_string(max_bytes) + " bytes");
    }
    content.insert(content.end(), chunk.begin(), chunk.begin() + count);
  }
}

Result<void> write_new_file(const std::filesystem::path& path, BytesView content, FileMode mode) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Descriptor fd(::open(path.c_str(), flags, static_cast<mode_t>(mode)));
  if (fd.get() < 0) return file_error(Code::file_unwritable, path, errno);
  if (const int error = write_all(fd.get(), content); error != 0) {
    ::unlink(path.c_str());
    return file_error(Code::file_unwritable, path, error);
  }
  return {};
}

Result<void> replace_file(const std::filesystem::path& path, BytesView content, FileMode mode) {
  std::filesystem::path temporary = path;
  temporary += ".new" + std::to_string(::getpid());
  // One of a process that was killed in between; inside an enclave the process id is always 1.
  ::unlink(temporary.c_str());
  RATLS_CHECK(write_new_file(temporary, content, mode));
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return file_error(Code::file_unwritable, path, error);
  }
  return {};
}

bool make_private_folder(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::is_directory(path, error)) return true;
  fs::create_directories(path.parent_path(), error);
  return ::mkdir(path.c_str(), 0700) == 0 || fs::is_directory(path, error);
}

}  // namespace ratls
