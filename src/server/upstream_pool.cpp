// SPDX-License-Identifier: Apache-2.0
#include "server/upstream_pool.h"

#include <poll.h>

#include <cerrno>
#include <utility>

namespace ratls::server {
namespace {

// uvicorn and Node.js close after 5 s.
constexpr Tick kIdleTicks = 3;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

Channel* channel_of(Link& link) {
  const auto* const channel = std::get_if<std::unique_ptr<Channel>>(&link);
  return channel == nullptr ? nullptr : channel->get();
}

}  // namespace

UpstreamSocket::UpstreamSocket(EventLoop& loop, Link link)
    : link_(std::move(link)),
      channel_(channel_of(link_)),
      fd_(channel_ != nullptr ? channel_->descriptor() : std::get<Descriptor>(link_).get()),
      watch_(loop, fd_, [this](Watch::Event event) { on_ready(event); }) {}

void UpstreamSocket::on_ready(Watch::Event event) {
  if (event.read) may_be_readable_ = true;
  // A copy: what it calls may replace it.
  if (const auto wake = wake_) wake();
}

// A verdict ends with what it stands on, and its connection with it.
bool UpstreamSocket::is_verified_still() const {
  return system_now() <= channel_->session()->peer().expires();
}

UpstreamSocket::Outcome UpstreamSocket::connected() {
  pollfd ready{fd_, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 0) return Outcome::wait;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0 ? Outcome::done : Outcome::failed;
}

UpstreamSocket::Outcome UpstreamSocket::read(std::span<char> buffer, std::size_t& size) {
  if (channel_ != nullptr)
    return is_verified_still() ? channel_->read(buffer, size) : Outcome::failed;
  if (!may_be_readable_) return Outcome::wait;
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) {
    size = static_cast<std::size_t>(got);
    may_be_readable_ = size == buffer.size();
    return Outcome::done;
  }
  if (got == 0) return Outcome::ended;
  may_be_readable_ = false;
  if (errno == EINTR || would_block(errno)) return Outcome::wait;
  return Outcome::failed;
}

UpstreamSocket::Outcome UpstreamSocket::write(std::string_view data, std::size_t& size) {
  if (channel_ != nullptr)
    return is_verified_still() ? channel_->write(data, size) : Outcome::failed;
  const ssize_t put = ::send(fd_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put >= 0) {
    size = static_cast<std::size_t>(put);
    return Outcome::done;
  }
  return errno == EINTR || would_block(errno) ? Outcome::wait : Outcome::failed;
}

bool UpstreamSocket::is_usable() {
  char byte = 0;
  if (channel_ != nullptr) {
    std::size_t size = 0;
    return read({&byte, 1}, size) == Outcome::wait;
  }
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && would_block(errno);
}

std::unique_ptr<UpstreamSocket> UpstreamPool::take(const Upstream& upstream) {
  for (std::size_t left = idle_.size(); left > 0; --left) {
    Idle& candidate = idle_[left - 1];
    if (candidate.upstream != &upstream) continue;
    const bool usable =
        candidate.generation == upstream.generation() && candidate.socket->is_usable();
    std::unique_ptr<UpstreamSocket> socket = std::move(candidate.socket);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(left - 1));
    if (usable) return socket;
  }
  return nullptr;
}

void UpstreamPool::keep(const Upstream& upstream, unsigned generation,
                        std::unique_ptr<UpstreamSocket> socket, Tick now) {
  if (idle_.size() < kMostIdle) idle_.push_back({&upstream, generation, std::move(socket), now});
}

void UpstreamPool::drop_old(Tick now) {
  std::erase_if(idle_, [&](const Idle& idle) { return now >= idle.since + kIdleTicks; });
}

}  // namespace ratls::server
