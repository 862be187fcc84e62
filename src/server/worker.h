// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "http/local_proxy.h"
#include "ratls/server.h"
#include "server/event_loop.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/request_ids.h"
#include "server/router.h"
#include "server/tick.h"
#include "server/upstream_pool.h"

namespace ratls::server {

class Connection;
class SessionEvidence;

/// Service is what the workers share.
struct Service {
  std::size_t most_turned_away;  ///< at a time
  Router router;
  const ServerTls* tls;                         ///< null: without TLS
  Upstreams* upstreams;                         ///< null: all requests are the router's
  const http::LocalProxy* local;                ///< null: what is behind are apps
  SessionEvidence* session_evidence = nullptr;  ///< null: none is made
  std::atomic<std::size_t> connections{0};      ///< that are served
  std::atomic<std::size_t> queued{0};           ///< that wait for a place
  std::atomic<std::size_t> turned_away{0};      ///< that are told 503
  std::atomic<std::size_t> held_bytes{0};       ///< of bodies that are still arriving
};

/// Worker serves the connections of one listener on one thread with one event loop.
/// Thread-safety: stop() and apply() from any thread; the rest from the thread in run().
class Worker {
 public:
  /// create listens at the endpoint. Errors: listen_failed, internal.
  static Result<std::unique_ptr<Worker>> create(Service& service, const ServerOptions& options,
                                                const boost::asio::ip::tcp::endpoint& endpoint);
  ~Worker();

  /// endpoint is where the listener is, with the real port. Only before run().
  boost::asio::ip::tcp::endpoint endpoint() const;

  /// run serves until stop(), then until the last connection is done or drain_timeout has passed.
  /// Blocks.
  void run();
  void stop();
  /// apply goes on with other options; what a request has begun with may stay as it was.
  void apply(const ServerOptions& options);

  // For Connection:
  EventLoop& loop() noexcept { return *loop_; }
  Service& service() noexcept { return service_; }
  /// options are the same until the next event.
  const ServerOptions& options() const noexcept { return options_; }
  std::string new_request_id() { return request_ids_.next(); }
  WorkerMetrics& metrics() noexcept { return metrics_; }
  /// scratch is where plaintext is read to before it is known to whom it belongs; its content is
  /// gone with the next event.
  std::span<char> scratch() noexcept { return scratch_; }
  const std::string& date() const noexcept { return date_; }
  UpstreamPool& upstream_pool() noexcept { return upstream_pool_; }
  /// log_access writes a request's line, together with those of the events that are ready now.
  void log_access(const LogFields& fields);
  Tick now() const noexcept { return now_; }
  bool draining() const noexcept { return drain_end_ != kNever; }
  /// deadline_after is the tick when at least delay has passed.
  Tick deadline_after(std::chrono::seconds delay) const noexcept;
  using Connections = std::list<std::shared_ptr<Connection>>;
  /// forget drops a connection that is closed.
  void forget(Connections::iterator place);

  /// came_around is false while the event loop has not come to what the last call left for it; else
  /// it leaves something anew. Thread-safety: any one thread.
  bool came_around();

  /// metrics are those of this worker. Thread-safety: any thread.
  const WorkerMetrics& metrics() const noexcept { return metrics_; }

 private:
  Worker(Service& service, const ServerOptions& options, std::unique_ptr<EventLoop> loop,
         Descriptor listener);

  void accept_clients();
  enum class Accepted { client, nobody, no_room };
  Accepted accept_one();
  /// Place is what becomes of a new connection; each kind has a limit for all workers together.
  enum class Place { served, queued, turned_away };
  std::optional<Place> take_place();
  std::atomic<std::size_t>& taken(Place place);
  void adopt(Descriptor fd, const boost::asio::ip::tcp::endpoint& peer, Place place);
  void use_room();
  void serve_queued();
  void drop_queue();
  void begin_drain();
  void ensure_ticking();
  void give_memory_back();
  void tick();
  void release_when_done();

  Service& service_;
  ServerOptions options_;
  RequestIds request_ids_;
  std::unique_ptr<EventLoop> loop_;
  Descriptor listener_;  // closed when draining
  std::optional<Watch> newcomers_;
  UpstreamPool upstream_pool_;
  /// Queued is a client that waits for a place: nothing was read of it yet.
  struct Queued {
    Descriptor fd;
    boost::asio::ip::tcp::endpoint peer;
    Tick until;
  };
  Connections connections_;
  std::size_t most_connections_ = 0;  // since memory was given back
  std::deque<Queued> queue_;
  WorkerMetrics metrics_;
  AccessLog access_log_;
  std::atomic<bool> is_asked_ = false;  // by came_around
  std::vector<char> scratch_;
  std::string date_;
  Tick now_ = 0;
  Tick drain_end_ = kNever;
  bool accept_paused_ = false;
};

}  // namespace ratls::server
