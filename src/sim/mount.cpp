// SPDX-License-Identifier: Apache-2.0
#define FUSE_USE_VERSION 312
#include "sim/mount.h"

#include <fcntl.h>
#include <fuse3/fuse.h>
#include <fuse3/fuse_lowlevel.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include "base/reader.h"

namespace ratls::sim {
namespace {

Error unavailable(std::string_view where, std::string detail) {
  return Error(Code::platform_unavailable, std::string(where), std::move(detail));
}

std::string system_text(int error_number) { return std::generic_category().message(error_number); }

// What the FUSE callbacks work on.
struct Mounted {
  PseudoFiles& files;
  const std::function<void()>& on_ready;
};

Mounted& mounted() { return *static_cast<Mounted*>(fuse_get_context()->private_data); }

void* on_init(fuse_conn_info*, fuse_config*) {
  mounted().on_ready();
  return &mounted();
}

int on_getattr(const char* path, struct stat* out, fuse_file_info*) {
  const auto attributes = mounted().files.find(path);
  if (!attributes) return -ENOENT;
  *out = {};
  out->st_mode = attributes->mode;
  out->st_nlink = attributes->is_directory ? 2 : 1;
  out->st_uid = ::getuid();
  out->st_gid = ::getgid();
  return 0;
}

int on_readdir(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
               fuse_readdir_flags) {
  const auto attributes = mounted().files.find(path);
  if (!attributes || !attributes->is_directory) return -ENOTDIR;
  fill(buffer, ".", nullptr, 0, fuse_fill_dir_flags{});
  fill(buffer, "..", nullptr, 0, fuse_fill_dir_flags{});
  for (const std::string& name : mounted().files.names(path)) {
    fill(buffer, name.c_str(), nullptr, 0, fuse_fill_dir_flags{});
  }
  return 0;
}

int on_open(const char* path, fuse_file_info* info) {
  const bool writes = (info->flags & O_ACCMODE) != O_RDONLY;
  const auto opened = mounted().files.open(path, writes ? Access::write : Access::read);
  if (opened.error != 0) return -opened.error;
  info->fh = opened.handle;
  // The stated size is 0; without the page cache a reader gets what there is until the end.
  info->direct_io = 1;
  return 0;
}

int on_read(const char*, char* buffer, size_t size, off_t offset, fuse_file_info* info) {
  const BytesView part = mounted().files.read(info->fh, static_cast<std::size_t>(offset), size);
  std::copy(part.begin(), part.end(), buffer);
  return static_cast<int>(part.size());
}

int on_write(const char* path, const char* data, size_t size, off_t, fuse_file_info*) {
  if (const int error = mounted().files.write(path, as_bytes({data, size})); error != 0) {
    return -error;
  }
  return static_cast<int>(size);
}

// Shells truncate what they write to; the next write replaces the value anyway.
int on_truncate(const char* path, off_t, fuse_file_info*) {
  const auto attributes = mounted().files.find(path);
  return attributes && (attributes->mode & S_IWUSR) != 0 ? 0 : -EACCES;
}

int on_release(const char*, fuse_file_info* info) {
  mounted().files.close(info->fh);
  return 0;
}

int on_mkdir(const char* path, mode_t) { return -mounted().files.make_folder(path); }

int on_rmdir(const char* path) { return -mounted().files.remove_folder(path); }

fuse_operations operations() {
  fuse_operations out{};
  out.init = on_init;
  out.getattr = on_getattr;
  out.readdir = on_readdir;
  out.open = on_open;
  out.read = on_read;
  out.write = on_write;
  out.truncate = on_truncate;
  out.release = on_release;
  out.mkdir = on_mkdir;
  out.rmdir = on_rmdir;
  return out;
}

// What libfuse says goes into our error, not to stderr.
std::string& fuse_message() {
  static std::string text;
  return text;
}

void keep_message(fuse_log_level, const char* format, va_list arguments) {
  std::array<char, 256> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string& text = fuse_message();
  text = line.data();
  while (text.ends_with('\n')) text.pop_back();
}

// Handlers can reach nothing but a global; -1 while nothing is mounted.
volatile std::sig_atomic_t stop_fd = -1;

void on_stop_signal(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  if (::write(stop_fd, &one, sizeof one) < 0) {
    // The counter is full: the loop has been told already.
  }
  errno = saved;
}

// Turns SIGTERM and SIGINT into something that poll sees, so that none is lost between two calls.
class StopSignals {
 public:
  StopSignals() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    stop_fd = fd_;
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    ::sigaction(SIGTERM, &action, &old_term_);
    ::sigaction(SIGINT, &action, &old_int_);
  }
  ~StopSignals() {
    ::sigaction(SIGTERM, &old_term_, nullptr);
    ::sigaction(SIGINT, &old_int_, nullptr);
    stop_fd = -1;
    if (fd_ >= 0) ::close(fd_);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
  struct sigaction old_term_ {};
  struct sigaction old_int_ {};
};

bool has_fusermount() {
  return ::access("/usr/bin/fusermount3", X_OK) == 0 || ::access("/bin/fusermount3", X_OK) == 0;
}

Result<void> check_preconditions(const std::filesystem::path& mountpoint) {
  std::error_code error;
  const bool directory = std::filesystem::is_directory(mountpoint, error);
  if (error == std::errc::not_connected) {
    return unavailable(mountpoint.string(),
                       "a mount whose process has ended is still there, remove it with "
                       "\"fusermount3 -u\" or \"umount\"");
  }
  if (!directory) {
    return unavailable(mountpoint.string(), error ? error.message() : system_text(ENOTDIR));
  }
  // What lies in the folder would be out of reach while it is mounted.
  if (!std::filesystem::is_empty(mountpoint, error) || error) {
    return unavailable(mountpoint.string(), error ? error.message() : system_text(ENOTEMPTY));
  }
  const bool root = ::geteuid() == 0;
  const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  const int reason = errno;
  if (device >= 0) ::close(device);
  if (device < 0 && (root || reason == ENOENT)) {
    return unavailable("/dev/fuse", system_text(reason) +
                                        "; load the kernel module fuse, or give the container the "
                                        "device and CAP_SYS_ADMIN");
  }
  if (!root && !has_fusermount()) {
    return unavailable("/dev/fuse", "without root, fusermount3 is needed to mount");
  }
  return {};
}

// libfuse's own loop can sleep through a signal that comes just before it reads; this one cannot.
Result<void> serve(fuse_session* session, int stop) {
  const int device = fuse_session_fd(session);
  ::fcntl(device, F_SETFL, ::fcntl(device, F_GETFL) | O_NONBLOCK);
  fuse_buf buffer{};
  int status = 0;
  while (status >= 0 && fuse_session_exited(session) == 0) {
    std::array<pollfd, 2> waited{{{device, POLLIN, 0}, {stop, POLLIN, 0}}};
    if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) {
      status = -errno;
      break;
    }
    if (waited[1].revents != 0) break;
    if (waited[0].revents == 0) continue;
    status = fuse_session_receive_buf(session, &buffer);
    if (status > 0) fuse_session_process_buf(session, &buffer);
    if (status == -EINTR || status == -EAGAIN) status = 0;
  }
  std::free(buffer.mem);
  if (status < 0) return unavailable("/dev/fuse", system_text(-status));
  return {};
}

struct DestroyFuse {
  void operator()(fuse* fuse) const { fuse_destroy(fuse); }
};

std::unique_ptr<fuse, DestroyFuse> new_fuse(Mounted& mounted) {
  std::string options = "-ofsname=ratls-sim,subtype=ratls";
  // Then the mount goes away with the process, even with a killed one.
  if (has_fusermount()) options += ",auto_unmount";
  std::string program = "ratls";
  std::array<char*, 3> arguments{program.data(), options.data(), nullptr};
  fuse_args args = FUSE_ARGS_INIT(2, arguments.data());
  const fuse_operations table = operations();
  std::unique_ptr<fuse, DestroyFuse> out(fuse_new(&args, &table, sizeof table, &mounted));
  fuse_opt_free_args(&args);
  return out;
}

}  // namespace

Result<void> mount_files(PseudoFiles& files, const std::filesystem::path& mountpoint,
                         const std::function<void()>& on_ready) {
  RATLS_CHECK(check_preconditions(mountpoint));
  fuse_message().clear();
  fuse_set_log_func(keep_message);
  Mounted state{files, on_ready};
  const auto handle = new_fuse(state);
  if (!handle) return unavailable("fuse", "libfuse fails: " + fuse_message());
  const StopSignals signals;
  if (fuse_mount(handle.get(), mountpoint.c_str()) != 0) {
    return unavailable(mountpoint.string(), "it cannot be mounted: " + fuse_message());
  }
  Result<void> outcome = serve(fuse_get_session(handle.get()), signals.fd());
  fuse_unmount(handle.get());
  return outcome;
}

}  // namespace ratls::sim
