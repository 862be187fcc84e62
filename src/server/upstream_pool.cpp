// SPDX-License-Identifier: Apache-2.0
#include "server/upstream_pool.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <utility>

namespace ratls::server {
namespace {

// uvicorn and Node.js close after 5 s.
constexpr Tick kIdleTicks = 3;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

UpstreamSocket::Owner UpstreamSocket::open(boost::asio::io_context& context, SocketPlaces& places,
                                           Descriptor fd) {
  const std::shared_ptr<UpstreamSocket> made(new UpstreamSocket(context, places));
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(fd.get(), static_cast<sockaddr*>(static_cast<void*>(&name)), &size);
  boost::system::error_code ec;
  places.take(context);
  made->socket_.assign({name.ss_family, 0}, fd.get(), ec);
  if (ec) {
    places.give_back();
    return nullptr;
  }
  fd.release();
  made->self_ = made;
  return Owner(made.get());
}

UpstreamSocket::Owner UpstreamSocket::open(boost::asio::io_context& context, SocketPlaces& places,
                                           std::unique_ptr<Channel> channel) {
  // Asio closes what it waits on, and the channel its own.
  Owner made =
      open(context, places, Descriptor(::fcntl(channel->descriptor(), F_DUPFD_CLOEXEC, 0)));
  if (made) made->channel_ = std::move(channel);
  return made;
}

void UpstreamSocket::close() {
  wake_ = nullptr;
  // Before the socket: epoll forgets a connection with its last descriptor only (epoll(7)).
  channel_.reset();
  boost::system::error_code ec;
  socket_.close(ec);
  places_.give_back();
  const auto last = std::move(self_);
}

// A verdict ends with what it stands on, and its connection with it.
bool UpstreamSocket::is_verified_still() const {
  return system_now() <= channel_->session()->peer().expires();
}

UpstreamSocket::Outcome UpstreamSocket::connected() {
  pollfd ready{socket_.native_handle(), POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 0) return Outcome::wait;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0 ? Outcome::done : Outcome::failed;
}

UpstreamSocket::Outcome UpstreamSocket::read(std::span<char> buffer, std::size_t& size) {
  if (channel_) return is_verified_still() ? channel_->read(buffer, size) : Outcome::failed;
  const ssize_t got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) {
    size = static_cast<std::size_t>(got);
    return Outcome::done;
  }
  if (got == 0) return Outcome::ended;
  if (errno == EINTR || would_block(errno)) return Outcome::wait;
  return Outcome::failed;
}

UpstreamSocket::Outcome UpstreamSocket::write(std::string_view data, std::size_t& size) {
  if (channel_) return is_verified_still() ? channel_->write(data, size) : Outcome::failed;
  const ssize_t put =
      ::send(socket_.native_handle(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put >= 0) {
    size = static_cast<std::size_t>(put);
    return Outcome::done;
  }
  return errno == EINTR || would_block(errno) ? Outcome::wait : Outcome::failed;
}

bool UpstreamSocket::is_usable() {
  char byte = 0;
  if (channel_) {
    std::size_t size = 0;
    return read({&byte, 1}, size) == Outcome::wait;
  }
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         would_block(errno);
}

void UpstreamSocket::wait(boost::asio::socket_base::wait_type event, bool& armed) {
  if (armed) return;
  armed = true;
  socket_.async_wait(event, [self = shared_from_this(), &armed](boost::system::error_code) {
    armed = false;
    // A copy: what it calls may replace it.
    if (const auto wake = self->wake_) wake();
  });
}

UpstreamSocket::Owner UpstreamPool::take(const Upstream& upstream) {
  for (std::size_t left = idle_.size(); left > 0; --left) {
    Idle& candidate = idle_[left - 1];
    if (candidate.upstream != &upstream) continue;
    const bool usable =
        candidate.generation == upstream.generation() && candidate.socket->is_usable();
    UpstreamSocket::Owner socket = std::move(candidate.socket);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(left - 1));
    if (usable) return socket;
  }
  return nullptr;
}

void UpstreamPool::keep(const Upstream& upstream, unsigned generation, UpstreamSocket::Owner socket,
                        Tick now) {
  if (idle_.size() < kMostIdle) idle_.push_back({&upstream, generation, std::move(socket), now});
}

void UpstreamPool::drop_old(Tick now) {
  std::erase_if(idle_, [&](const Idle& idle) { return now >= idle.since + kIdleTicks; });
}

}  // namespace ratls::server
