// SPDX-License-Identifier: Apache-2.0
#include "ratls/server.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <mutex>
#include <optional>

#include "server/listener.h"
#include "server/log.h"
#include "server/renewal.h"
#include "server/thread.h"
#include "server/worker.h"
#include "tls/openssl_setup.h"

namespace ratls {
namespace {

using server::LogLevel;
using server::Renewal;
using server::RenewalSchedule;
using server::Service;
using server::Thread;
using server::Worker;

constexpr unsigned kMaxThreads = 256;
constexpr std::chrono::seconds kMaxTimeout = std::chrono::hours(24);
// A request line and a Host need some room; Boost.Beast counts a header in 32 bits.
constexpr std::size_t kMinHeaderBytes = 256;
constexpr std::size_t kMaxHeaderBytes = 1024 * 1024;
constexpr rlim_t kDescriptorsBesideConnections = 64;

Error bad_option(std::string name, std::string wanted) {
  return Error(Code::config_invalid, std::move(name), std::move(wanted));
}

Result<void> check_timeout(std::string name, std::chrono::seconds value,
                           std::chrono::seconds least) {
  if (value >= least && value <= kMaxTimeout) return {};
  return bad_option(std::move(name), "must be " + format_duration(least) + " to 1d");
}

Result<void> check_options(const ServerOptions& options) {
  using std::chrono::seconds;
  if (options.host.empty()) return bad_option("host", "must not be empty");
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return bad_option("threads", "must be 1 to " + std::to_string(kMaxThreads));
  }
  if (options.max_header_bytes < kMinHeaderBytes || options.max_header_bytes > kMaxHeaderBytes) {
    return bad_option("max_header_bytes", "must be 256 to 1048576");
  }
  if (options.max_connections < 1) return bad_option("max_connections", "must be 1 or more");
  RATLS_CHECK(check_timeout("handshake_timeout", options.handshake_timeout, seconds(1)));
  RATLS_CHECK(check_timeout("request_timeout", options.request_timeout, seconds(1)));
  RATLS_CHECK(check_timeout("keep_alive_timeout", options.keep_alive_timeout, seconds(1)));
  RATLS_CHECK(check_timeout("write_timeout", options.write_timeout, seconds(1)));
  return check_timeout("drain_timeout", options.drain_timeout, seconds(0));
}

// As far as the system lets us: with fewer descriptors the server accepts fewer clients at a time.
// Clients must not take those that a renewal needs for its quote.
std::size_t make_room_for(std::size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections;
  const rlim_t wanted =
      std::min<rlim_t>(limit.rlim_max, connections + kDescriptorsBesideConnections);
  const rlimit raised{wanted, limit.rlim_max};
  if (limit.rlim_cur < wanted && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  if (limit.rlim_cur <= kDescriptorsBesideConnections) return 1;
  return std::min<rlim_t>(connections, limit.rlim_cur - kDescriptorsBesideConnections);
}

sigset_t termination_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

/// Running is what exists between start and stop; it is destroyed from the last member to the
/// first.
struct Running {
  Running(const ServerOptions& options, const server::Router& router, ServerTls server_tls)
      : tls(std::move(server_tls)), service{options, router, tls} {}

  ServerTls tls;
  Service service;
  std::uint16_t port = 0;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<Thread> threads;
  std::optional<Renewal> renewal;
};

Result<void> listen(Running& running) {
  const ServerOptions& options = running.service.options;
  RATLS_TRY(auto endpoint, server::resolve_listen_address(options.host, options.port));
  RATLS_CHECK(server::check_unused(endpoint));
  for (unsigned count = 0; count < options.threads; ++count) {
    RATLS_TRY(auto worker, Worker::create(running.service, endpoint));
    endpoint = worker->endpoint();  // the port that the first one got is the others' too
    running.workers.push_back(std::move(worker));
  }
  running.port = endpoint.port();
  return {};
}

void stop_workers(Running& running) {
  for (const auto& worker : running.workers) worker->stop();
  if (running.renewal) running.renewal->stop();
  for (Thread& thread : running.threads) thread.join();
}

Result<void> start_threads(Running& running, Attester attester, RenewalSchedule schedule) {
  for (const auto& worker : running.workers) {
    RATLS_TRY(Thread thread, Thread::start("ratls-worker", [&worker = *worker] { worker.run(); }));
    running.threads.push_back(std::move(thread));
  }
  running.renewal.emplace(std::move(attester), running.tls, schedule);
  return running.renewal->start();
}

}  // namespace

struct Server::State {
  explicit State(ServerOptions given) : options(std::move(given)) {}

  ServerOptions options;
  server::Router router;
  std::mutex mutex;
  std::unique_ptr<Running> running;
  // Not under the mutex: a handler may ask while stop() waits for it.
  std::atomic<std::uint16_t> port{0};
};

Server::Server(ServerOptions options) : state_(std::make_unique<State>(std::move(options))) {}

Server::~Server() { stop(); }

Server& Server::route(std::string method, std::string path, Handler handler) {
  state_->router.add(std::move(method), std::move(path), std::move(handler));
  return *this;
}

Result<void> Server::start(Attester attester) {
  tls::set_up_openssl();
  const std::lock_guard lock(state_->mutex);
  if (state_->running) return bad_option("start", "the server is running already");
  RATLS_CHECK(check_options(state_->options));
  ServerOptions options = state_->options;
  options.max_connections = make_room_for(options.max_connections);
  const UnixTime now = system_now();
  RATLS_TRY(AttestedCertificate certificate, attester.certify(now));
  RATLS_TRY(ServerTls tls, ServerTls::create(certificate, options.lowest_tls));
  auto running = std::make_unique<Running>(options, state_->router, std::move(tls));
  RATLS_CHECK(listen(*running));
  const auto started =
      start_threads(*running, std::move(attester), RenewalSchedule(now, certificate.not_after()));
  if (!started) {
    stop_workers(*running);
    return started;
  }
  state_->port = running->port;
  state_->running = std::move(running);
  return {};
}

std::uint16_t Server::port() const noexcept { return state_->port; }

std::string Server::url() const {
  const std::string& host = state_->options.host;
  const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return "https://" + (bare_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

void Server::stop() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->running) return;
  stop_workers(*state_->running);
  state_->running.reset();
}

void Server::block_signals() {
  const sigset_t set = termination_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void Server::run_until_signal() {
  block_signals();
  const sigset_t set = termination_signals();
  int received = 0;
  while (::sigwait(&set, &received) != 0) {
  }
  server::log(LogLevel::info,
              received == SIGTERM ? "SIGTERM: the server stops" : "SIGINT: the server stops");
  stop();
}

}  // namespace ratls
