// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/descriptor.h"

namespace ratls {
namespace {

constexpr std::string_view kTemporaryMark = ".new";

Error file_error(Code code, const std::filesystem::path& path, int error_number) {
  return Error(code, path.string(), std::generic_category().message(error_number));
}

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

// A name of its own for each call: threads share a process id, and inside enclaves it is 1 in all.
Result<std::filesystem::path> temporary_beside(const std::filesystem::path& path) {
  std::array<std::uint8_t, 8> random;
  ssize_t count = 0;
  do {
    count = ::getrandom(random.data(), random.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return file_error(Code::file_unwritable, path, errno);
  // Up to 256 bytes come whole or not at all (getrandom(2)).
  std::filesystem::path out = path;
  out += std::string(kTemporaryMark) + to_hex(random);
  return out;
}

}  // namespace

bool is_temporary_of(std::string_view file_name, std::string_view target) noexcept {
  if (!file_name.starts_with(target)) return false;
  file_name.remove_prefix(target.size());
  if (!file_name.starts_with(kTemporaryMark)) return false;
  file_name.remove_prefix(kTemporaryMark.size());
  return !file_name.empty() &&
         file_name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

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
  RATLS_TRY(std::filesystem::path temporary, temporary_beside(path));
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
