// SPDX-License-Identifier: Apache-2.0
#include "server/worker.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "http/write.h"
#include "server/connection.h"
#include "server/listener.h"

namespace ratls::server {
namespace {

using boost::asio::ip::tcp;

constexpr std::size_t kScratchSize = 16 * 1024;  // the plaintext of one TLS record
constexpr int kAcceptBatch = 64;
constexpr std::size_t kMostLogged = 64 * 1024;  // bytes of access lines that wait
constexpr std::chrono::seconds kTickLength{1};
// Fewer than these have no memory to speak of.
constexpr std::size_t kManyConnections = 64;

/// take counts one more, unless there are as many as there may be.
bool take(std::atomic<std::size_t>& count, std::size_t most) {
  if (count.fetch_add(1) < most) return true;
  count.fetch_sub(1);
  return false;
}

}  // namespace

Worker::Worker(Service& service, const ServerOptions& options, std::unique_ptr<EventLoop> loop,
               Descriptor listener)
    : service_(service),
      options_(options),
      loop_(std::move(loop)),
      listener_(std::move(listener)),
      scratch_(kScratchSize),
      date_(http::http_date(system_now())) {
  newcomers_.emplace(*loop_, listener_.get(), [this](Watch::Event) { accept_clients(); });
  loop_->on_alarm([this] { tick(); });
}

Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::create(Service& service, const ServerOptions& options,
                                               const tcp::endpoint& endpoint) {
  RATLS_TRY(auto loop, EventLoop::create());
  RATLS_TRY(Descriptor listener, open_listener(endpoint));
  return std::unique_ptr<Worker>(
      new Worker(service, options, std::move(loop), std::move(listener)));
}

tcp::endpoint Worker::endpoint() const { return local_endpoint(listener_); }

void Worker::run() {
  newcomers_->wait_read();
  loop_->run();
}

void Worker::stop() {
  loop_->post([this] { begin_drain(); });
}

void Worker::apply(const ServerOptions& options) {
  loop_->post([this, options] { options_ = options; });
}

bool Worker::came_around() {
  if (is_asked_.exchange(true)) return false;
  loop_->post([this] { is_asked_ = false; });
  return true;
}

Tick Worker::deadline_after(std::chrono::seconds delay) const noexcept {
  // The present second has partly gone.
  return now_ + static_cast<Tick>(delay.count()) + 1;
}

void Worker::accept_clients() {
  for (int count = 0; count < kAcceptBatch && listener_; ++count) {
    const Accepted outcome = accept_one();
    if (outcome == Accepted::nobody) break;
    if (outcome == Accepted::no_room) {
      // Clients wait in the kernel's queue until a tick finds room.
      accept_paused_ = true;
      ensure_ticking();
      return;
    }
  }
  if (newcomers_) newcomers_->wait_read();
}

Worker::Accepted Worker::accept_one() {
  const std::optional<Place> place = take_place();
  if (!place) return Accepted::no_room;
  tcp::endpoint peer;
  socklen_t size = static_cast<socklen_t>(peer.capacity());
  Descriptor fd(::accept4(listener_.get(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    peer.resize(size);
    metrics_.accepted.add();
    ensure_ticking();
    if (*place == Place::queued) {
      queue_.push_back({std::move(fd), peer, deadline_after(options_.queue_timeout)});
    } else {
      adopt(std::move(fd), peer, *place);
    }
    return Accepted::client;
  }
  taken(*place).fetch_sub(1);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Accepted::nobody;
  const bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
  if (!exhausted) return Accepted::client;  // this one is gone already: accept(2), ECONNABORTED
  log(LogLevel::error, std::string("no more connections: ") + std::strerror(errno));
  return Accepted::no_room;
}

std::optional<Worker::Place> Worker::take_place() {
  // Nobody overtakes those who wait.
  if (queue_.empty() && take(service_.connections, options_.max_connections)) return Place::served;
  if (take(service_.queued, options_.max_queued)) return Place::queued;
  if (take(service_.turned_away, service_.most_turned_away)) return Place::turned_away;
  return std::nullopt;
}

std::atomic<std::size_t>& Worker::taken(Place place) {
  switch (place) {
    case Place::served:
      return service_.connections;
    case Place::queued:
      return service_.queued;
    case Place::turned_away:
      break;
  }
  return service_.turned_away;
}

void Worker::adopt(Descriptor fd, const tcp::endpoint& peer, Place place) {
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto welcome =
      place == Place::served ? Connection::Welcome::served : Connection::Welcome::turned_away;
  if (place == Place::turned_away) metrics_.turned_away.add();
  connections_.push_front(std::make_shared<Connection>(*this, std::move(fd), peer, welcome));
  most_connections_ = std::max(most_connections_, connections_.size());
  connections_.front()->start(connections_.begin());
}

void Worker::log_access(const LogFields& fields) {
  // What is posted comes after the events that are ready now, and before run() ends.
  if (access_log_.size() == 0) loop_->post([this] { access_log_.write(); });
  access_log_.add(fields);
  if (access_log_.size() >= kMostLogged) access_log_.write();
}

void Worker::forget(Connections::iterator place) {
  taken((*place)->is_turned_away() ? Place::turned_away : Place::served).fetch_sub(1);
  connections_.erase(place);
  release_when_done();
  if (accept_paused_ || !queue_.empty()) loop_->post([this] { use_room(); });
}

/// use_room lets clients in that wait, here and in the kernel's queue.
void Worker::use_room() {
  serve_queued();
  if (!accept_paused_) return;
  accept_paused_ = false;
  accept_clients();
}

void Worker::serve_queued() {
  while (!queue_.empty()) {
    Queued& first = queue_.front();
    Place place = Place::served;
    if (!take(service_.connections, options_.max_connections)) {
      place = Place::turned_away;
      const bool has_waited = now_ >= first.until;
      if (!has_waited || !take(service_.turned_away, service_.most_turned_away)) return;
    }
    Queued next = std::move(first);
    queue_.pop_front();
    service_.queued.fetch_sub(1);
    adopt(std::move(next.fd), next.peer, place);
  }
}

void Worker::begin_drain() {
  if (draining()) return;
  // Those whose connection the kernel has made already are clients too: closing would reset them.
  for (int count = 0; count < SOMAXCONN && accept_one() == Accepted::client; ++count) {
  }
  newcomers_.reset();
  listener_.reset();
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
  if (drain_end_ == now_) drop_queue();
  release_when_done();
}

void Worker::drop_queue() {
  service_.queued.fetch_sub(queue_.size());
  queue_.clear();
  release_when_done();
}

void Worker::release_when_done() {
  if (!draining() || !connections_.empty() || !queue_.empty()) return;
  upstream_pool_.clear();
  loop_->leave();
}

// The C library keeps what was freed, in an enclave out of everybody's reach.
void Worker::give_memory_back() {
  const bool many_have_gone =
      most_connections_ >= kManyConnections && connections_.size() < most_connections_ / 2;
  if (!many_have_gone) return;
  most_connections_ = connections_.size();
  ::malloc_trim(0);
}

void Worker::ensure_ticking() {
  if (loop_->has_alarm()) return;
  date_ = http::http_date(system_now());
  loop_->set_alarm(kTickLength);
}

void Worker::tick() {
  ++now_;
  date_ = http::http_date(system_now());
  if (now_ >= drain_end_) drop_queue();
  std::size_t handshaking = 0;
  std::size_t idle = 0;
  for (auto place = connections_.begin(); place != connections_.end();) {
    const auto connection = *place++;
    if (now_ >= drain_end_) {
      connection->abort();
      continue;
    }
    handshaking += connection->is_handshaking() ? 1 : 0;
    idle += connection->is_idle() ? 1 : 0;
    connection->check_deadline(now_);
  }
  metrics_.handshaking = handshaking;
  metrics_.idle = idle;
  upstream_pool_.drop_old(now_);
  give_memory_back();
  use_room();
  const bool goes_on =
      !connections_.empty() || !queue_.empty() || !upstream_pool_.empty() || accept_paused_;
  if (goes_on) loop_->set_alarm(kTickLength);
}

}  // namespace ratls::server
