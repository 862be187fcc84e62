// SPDX-License-Identifier: Apache-2.0
#include "server/systemd.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/descriptor.h"
#include "server/log.h"

namespace ratls::server {
namespace {

/// send_to sends one datagram; false with errno when it cannot.
bool send_to(std::string_view path, std::string_view state) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  errno = EINVAL;
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  // sd_notify(3): @ stands for the zero byte of an abstract name, which has no end but its length.
  if (path.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto* to = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  return socket && ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, to, size) ==
                       static_cast<ssize_t>(state.size());
}

}  // namespace

void tell_systemd(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || send_to(path, state)) return;
  const std::string reason = std::strerror(errno);
  log(LogLevel::warning, "systemd was not told " + std::string(state) + ": " + reason);
}

std::optional<std::chrono::microseconds> watchdog_period() {
  constexpr std::uint64_t kMost = 366ULL * 24 * 3600 * 1'000'000;
  const char* text = std::getenv("WATCHDOG_USEC");
  if (text == nullptr) return std::nullopt;
  const char* end = text + std::strlen(text);
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text, end, value);
  if (error != std::errc() || rest != end || value == 0 || value > kMost) return std::nullopt;
  const char* of = std::getenv("WATCHDOG_PID");
  // Of another process that has started this one.
  if (of != nullptr && of != std::to_string(::getpid())) return std::nullopt;
  return std::chrono::microseconds(value / 2 + 1);
}

}  // namespace ratls::server
