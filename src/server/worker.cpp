// SPDX-License-Identifier: Apache-2.0
#include "server/worker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "http/write.h"
#include "server/connection.h"
#include "server/listener.h"
#include "server/log.h"

namespace ratls::server {
namespace {

using boost::asio::ip::tcp;

constexpr std::size_t kScratchSize = 16 * 1024;  // the plaintext of one TLS record
constexpr int kAcceptBatch = 64;
constexpr std::chrono::seconds kTickLength{1};

}  // namespace

Worker::Worker(Service& service, const ServerOptions& options,
               std::unique_ptr<boost::asio::io_context> context, tcp::acceptor acceptor)
    : service_(service),
      options_(options),
      owned_context_(std::move(context)),
      context_(*owned_context_),
      work_(context_.get_executor()),
      acceptor_(std::move(acceptor)),
      timer_(context_),
      scratch_(kScratchSize),
      date_(http::http_date(system_now())) {}

Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::create(Service& service, const ServerOptions& options,
                                               const tcp::endpoint& endpoint) {
  auto context = std::make_unique<boost::asio::io_context>(1);
  RATLS_TRY(tcp::acceptor acceptor, open_listener(*context, endpoint));
  return std::unique_ptr<Worker>(
      new Worker(service, options, std::move(context), std::move(acceptor)));
}

tcp::endpoint Worker::endpoint() const { return acceptor_.local_endpoint(); }

void Worker::run() {
  await_clients();
  context_.run();
}

void Worker::stop() {
  boost::asio::post(context_, [this] { begin_drain(); });
}

void Worker::apply(const ServerOptions& options) {
  boost::asio::post(context_, [this, options] { options_ = options; });
}

Tick Worker::deadline_after(std::chrono::seconds delay) const noexcept {
  // The present second has partly gone.
  return now_ + static_cast<Tick>(delay.count()) + 1;
}

void Worker::await_clients() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](boost::system::error_code ec) {
    if (!ec) accept_clients();
  });
}

void Worker::accept_clients() {
  for (int count = 0; count < kAcceptBatch && acceptor_.is_open(); ++count) {
    const Accepted outcome = accept_one();
    if (outcome == Accepted::nobody) break;
    if (outcome == Accepted::no_room) {
      // Clients wait in the listener's queue until a tick finds room.
      accept_paused_ = true;
      ensure_ticking();
      return;
    }
  }
  await_clients();
}

Worker::Accepted Worker::accept_one() {
  if (service_.connections.fetch_add(1) >= options_.max_connections) {
    service_.connections.fetch_sub(1);
    return Accepted::no_room;
  }
  tcp::endpoint peer;
  socklen_t size = static_cast<socklen_t>(peer.capacity());
  const int fd =
      ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    peer.resize(size);
    adopt(fd, peer);
    return Accepted::client;
  }
  service_.connections.fetch_sub(1);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Accepted::nobody;
  const bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
  if (!exhausted) return Accepted::client;  // this one is gone already: accept(2), ECONNABORTED
  log(LogLevel::error, std::string("no more connections: ") + std::strerror(errno));
  return Accepted::no_room;
}

void Worker::adopt(int fd, const tcp::endpoint& peer) {
  tcp::socket socket(context_);
  boost::system::error_code ec;
  socket.assign(peer.protocol(), fd, ec);
  if (ec) {
    ::close(fd);
    service_.connections.fetch_sub(1);
    return;
  }
  socket.set_option(tcp::no_delay(true), ec);
  ensure_ticking();
  connections_.push_front(std::make_shared<Connection>(*this, std::move(socket), peer));
  connections_.front()->start(connections_.begin());
}

void Worker::forget(Connections::iterator place) {
  service_.connections.fetch_sub(1);
  connections_.erase(place);
  release_when_done();
  if (!accept_paused_) return;
  accept_paused_ = false;
  boost::asio::post(context_, [this] { accept_clients(); });
}

void Worker::begin_drain() {
  if (draining()) return;
  boost::system::error_code ec;
  acceptor_.close(ec);
  accept_paused_ = false;
  drain_end_ = now_ + static_cast<Tick>(options_.drain_timeout.count());
  for (auto place = connections_.begin(); place != connections_.end();) {
    const auto connection = *place++;
    if (drain_end_ == now_) {
      connection->abort();
    } else {
      connection->drain();
    }
  }
  release_when_done();
}

void Worker::release_when_done() {
  if (!draining() || !connections_.empty()) return;
  timer_.cancel();
  upstream_pool_.clear();
  work_.reset();
}

void Worker::ensure_ticking() {
  if (!ticking_) {
    ticking_ = true;
    date_ = http::http_date(system_now());
    schedule_tick();
    return;
  }
  // A clock that was set back would put the next tick off by as much.
  const auto latest = std::chrono::steady_clock::now() + 2 * kTickLength;
  if (timer_.expiry() > latest) schedule_tick();
}

void Worker::schedule_tick() {
  timer_.expires_after(kTickLength);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) tick();
  });
}

void Worker::tick() {
  ++now_;
  date_ = http::http_date(system_now());
  for (auto place = connections_.begin(); place != connections_.end();) {
    const auto connection = *place++;
    if (now_ >= drain_end_) {
      connection->abort();
    } else {
      connection->check_deadline(now_);
    }
  }
  upstream_pool_.drop_old(now_);
  if (accept_paused_) {
    accept_paused_ = false;
    accept_clients();
  }
  ticking_ = !connections_.empty() || !upstream_pool_.empty() || accept_paused_;
  if (ticking_) schedule_tick();
}

}  // namespace ratls::server
