// SPDX-License-Identifier: Apache-2.0
#include "server/workers.h"

#include <sys/resource.h>

#include <algorithm>

#include "server/listener.h"
#include "server/upstream_pool.h"

namespace ratls::server {
namespace {

constexpr unsigned kMaxThreads = 256;
constexpr std::chrono::seconds kMaxTimeout = std::chrono::hours(24);
// A request line and a Host need some room; Boost.Beast counts a header in 32 bits.
constexpr std::size_t kMinHeaderBytes = 256;
constexpr std::size_t kMaxHeaderBytes = 1024 * 1024;
constexpr std::size_t kMaxConnections = 1'000'000;
// Descriptors besides those of clients: of quotes, files, logs and collateral services; of each
// thread; of the operations listener; of connections to an app that wait in each thread's pool.
constexpr std::size_t kOfTheServer = 64;
constexpr std::size_t kOfAThread = 3;
constexpr std::size_t kOfOperations = 63;

Error bad_option(std::string name, std::string wanted) {
  return Error(Code::config_invalid, std::move(name), std::move(wanted));
}

Result<void> check_timeout(std::string name, std::chrono::seconds value,
                           std::chrono::seconds least) {
  if (value >= least && value <= kMaxTimeout) return {};
  return bad_option(std::move(name), "must be " + format_duration(least) + " to 1d");
}

// So many at a time are told that there is no place; more wait in the kernel's queue.
constexpr std::size_t kMostTurnedAway = 256;

/// most_descriptors raises the limit of the process, when it is lower, and gives what there is.
std::size_t most_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlimit raised{std::min<rlim_t>(limit.rlim_max, wanted), limit.rlim_max};
  if (limit.rlim_cur < raised.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return std::min<rlim_t>(limit.rlim_cur, wanted);
}

/// descriptors_of says how many a connection to the app or server behind takes. A channel of
/// libcurl's has a socket, and two pairs to be woken with.
std::size_t descriptors_of(const Upstreams* upstreams, const http::LocalProxy* local) {
  constexpr std::size_t kOfAChannel = 5;
  if (upstreams == nullptr) return 0;
  return local == nullptr ? 1 : kOfAChannel;
}

/// make_room fits the limits to the descriptors that there are, and gives how many clients may be
/// turned away at a time. Clients must not take those that a renewal needs for its quote; a request
/// that is passed on takes those of an upstream connection too.
std::size_t make_room(ServerOptions& options, std::size_t of_an_upstream) {
  const std::size_t of_a_client = 1 + of_an_upstream;
  const std::size_t of_pools = of_an_upstream * UpstreamPool::kMostIdle * options.threads;
  const std::size_t beside = kOfTheServer + kOfAThread * options.threads +
                             (options.admin_host.empty() ? 0 : kOfOperations);
  const std::size_t clients =
      options.max_connections * of_a_client + options.max_queued + kMostTurnedAway;
  const std::size_t there = most_descriptors(clients + of_pools + beside);
  if (there >= clients + of_pools + beside) return kMostTurnedAway;
  // Few clients leave few connections behind in the pools.
  const std::size_t reserved = beside + std::min(of_pools, there / 4);
  const std::size_t room = there - std::min(reserved, there);
  const std::size_t turned_away = std::min(kMostTurnedAway, room / 8);
  options.max_queued = std::min(options.max_queued, room / 8);
  const std::size_t most = (room - options.max_queued - turned_away) / of_a_client;
  options.max_connections = std::clamp<std::size_t>(most, 1, options.max_connections);
  return turned_away;
}

}  // namespace

Result<void> check_options(const ServerOptions& options) {
  using std::chrono::seconds;
  if (options.host.empty()) return bad_option("host", "must not be empty");
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return bad_option("threads", "must be 1 to " + std::to_string(kMaxThreads));
  }
  if (options.max_header_bytes < kMinHeaderBytes || options.max_header_bytes > kMaxHeaderBytes) {
    return bad_option("max_header_bytes", "must be 256 to 1048576");
  }
  if (options.max_connections < 1 || options.max_connections > kMaxConnections) {
    return bad_option("max_connections", "must be 1 to 1000000");
  }
  if (options.max_queued > kMaxConnections) return bad_option("max_queued", "must be 0 to 1000000");
  RATLS_CHECK(check_timeout("handshake_timeout", options.handshake_timeout, seconds(1)));
  RATLS_CHECK(check_timeout("queue_timeout", options.queue_timeout, seconds(0)));
  RATLS_CHECK(check_timeout("request_timeout", options.request_timeout, seconds(1)));
  RATLS_CHECK(check_timeout("keep_alive_timeout", options.keep_alive_timeout, seconds(1)));
  RATLS_CHECK(check_timeout("write_timeout", options.write_timeout, seconds(1)));
  RATLS_CHECK(check_timeout("upstream_timeout", options.upstream_timeout, seconds(1)));
  RATLS_CHECK(check_timeout("stream_timeout", options.stream_timeout, seconds(1)));
  return check_timeout("drain_timeout", options.drain_timeout, seconds(0));
}

Result<std::unique_ptr<Workers>> Workers::listen(const ServerOptions& given, const Router& router,
                                                 const ServerTls* tls, Upstreams* upstreams,
                                                 const http::LocalProxy* local) {
  RATLS_CHECK(check_options(given));
  ServerOptions options = given;
  const std::size_t of_an_upstream = descriptors_of(upstreams, local);
  std::size_t most_turned_away = make_room(options, of_an_upstream);
  if (tls == nullptr) most_turned_away = std::min(most_turned_away, options.max_queued);
  RATLS_TRY(auto endpoint, resolve_listen_address(options.host, options.port));
  RATLS_CHECK(check_unused(endpoint));
  std::unique_ptr<Workers> workers(new Workers(most_turned_away, router, tls, upstreams, local));
  for (unsigned count = 0; count < options.threads; ++count) {
    RATLS_TRY(auto worker, Worker::create(workers->service_, options, endpoint));
    endpoint = worker->endpoint();  // the port that the first one got is the others' too
    workers->workers_.push_back(std::move(worker));
  }
  workers->port_ = endpoint.port();
  return workers;
}

Result<void> Workers::apply(const ServerOptions& given) {
  RATLS_CHECK(check_options(given));
  ServerOptions options = given;
  make_room(options, descriptors_of(service_.upstreams, service_.local));
  for (const auto& worker : workers_) worker->apply(options);
  return {};
}

Workers::~Workers() { stop(); }

Result<void> Workers::start() {
  for (const auto& worker : workers_) {
    RATLS_TRY(Thread thread, Thread::start("ratls-worker", [&worker = *worker] { worker.run(); }));
    threads_.push_back(std::move(thread));
  }
  return {};
}

void Workers::begin_stop() {
  for (const auto& worker : workers_) worker->stop();
}

void Workers::stop() {
  begin_stop();
  for (Thread& thread : threads_) thread.join();
  threads_.clear();
}

bool Workers::are_alive() {
  bool all = true;
  for (const auto& worker : workers_) all = worker->came_around() && all;
  return all;
}

std::vector<const WorkerMetrics*> Workers::metrics() const {
  std::vector<const WorkerMetrics*> all;
  for (const auto& worker : workers_) all.push_back(&std::as_const(*worker).metrics());
  return all;
}

std::string url_of(std::string_view scheme, const std::string& host, std::uint16_t port) {
  const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return std::string(scheme) + "://" + (bare_ipv6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

}  // namespace ratls::server
