// SPDX-License-Identifier: Apache-2.0
#include "ratls/server.h"

#include <atomic>
#include <mutex>
#include <optional>

#include "base/sigpipe.h"
#include "http/write.h"
#include "server/app_supervisor.h"
#include "server/log.h"
#include "server/operations.h"
#include "server/renewal.h"
#include "server/session_evidence.h"
#include "server/signals.h"
#include "server/systemd.h"
#include "server/workers.h"
#include "tls/openssl_setup.h"

namespace ratls {
namespace {

using server::Phase;
using server::Renewal;
using server::RenewalSchedule;
using server::ServerMetrics;
using server::Workers;

/// Running is what exists between start and stop; it is destroyed from the last member to the
/// first.
struct Running {
  ServerMetrics metrics;
  std::optional<ServerTls> tls;
  std::unique_ptr<server::AppSupervisor> apps;
  std::unique_ptr<Workers> workers;
  std::optional<Renewal> renewal;
  std::optional<server::SessionEvidence> session_evidence;
  std::unique_ptr<server::PlainServer> admin;  // tells of all the others
};

void stop_running(Running& running, server::Upstreams& upstreams) {
  running.metrics.phase = Phase::draining;
  running.workers->begin_stop();
  if (running.renewal) running.renewal->stop();
  running.workers->stop();
  if (running.session_evidence) running.session_evidence->stop();
  if (running.apps) running.apps->stop();  // after the requests that they are at
  upstreams.stop_dialing();                // before the workers end, whose threads it wakes
}

/// reloading is what systemd is to be told before a reload (sd_notify(3)).
std::string reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return "RELOADING=1\nMONOTONIC_USEC=" +
         std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

Result<void> check_unchanged(const ServerOptions& running, const ServerOptions& next) {
  const std::pair<const char*, bool> kept[] = {
      {"host", running.host == next.host},
      {"port", running.port == next.port},
      {"threads", running.threads == next.threads},
      {"lowest_tls", running.lowest_tls == next.lowest_tls},
      {"session_evidence", running.session_evidence == next.session_evidence},
      {"admin_host", running.admin_host == next.admin_host},
      {"admin_port", running.admin_port == next.admin_port},
  };
  for (const auto& [option, is_same] : kept) {
    if (is_same) continue;
    return Error(Code::config_invalid, option, "it cannot change while the server runs");
  }
  return {};
}

}  // namespace

struct Server::State {
  explicit State(ServerOptions given) : options(std::move(given)) {}
  Result<void> start_app(Running& running);
  Result<void> start_admin(Running& running, std::function<Result<void>()> reload);

  ServerOptions options;
  server::Router router;
  std::unique_ptr<server::Staple> staple;
  server::Upstreams upstreams;
  std::optional<server::UpstreamAddress> address;  // the last one given
  std::optional<AppOptions> app;
  std::function<Result<void>()> on_reload;
  std::mutex reload_mutex;
  std::mutex mutex;
  std::unique_ptr<Running> running;
  // Not under the mutex: a handler may ask while stop() waits for it.
  std::atomic<std::uint16_t> port{0};
};

Server::Server(ServerOptions options) : state_(std::make_unique<State>(std::move(options))) {
  // Asked when the connection itself had no answer to the question.
  if (state_->options.session_evidence) {
    state_->router.add_own(SessionChallenge::kPath, [](const Request&) {
      return http::refusal_response({400, "Ask over TLS 1.3, with ?nonce= and 64 hex digits."});
    });
  }
}

Server::~Server() { stop(); }

Server& Server::route(std::string method, std::string path, Handler handler) {
  state_->router.add(std::move(method), std::move(path), std::move(handler));
  return *this;
}

Server& Server::staple(StapleProvider provider) {
  state_->staple = std::make_unique<server::Staple>(std::move(provider));
  state_->router.add_own(server::kCollateralPath, [&staple = *state_->staple](const Request&) {
    return staple.answer(system_now());
  });
  return *this;
}

Result<void> Server::forward_to(std::string_view text) {
  if (state_->app) {
    return Error(Code::usage, std::string(text), "the app that is to be run has its own address");
  }
  RATLS_TRY(state_->address, server::UpstreamAddress::parse(text));
  state_->upstreams.add().set_address(*state_->address);
  return {};
}

Result<void> Server::run_app(AppOptions options) {
  if (state_->app) return Error(Code::usage, "app", "a server runs one app");
  if (state_->upstreams.size() > 1) {
    return Error(Code::usage, "app", "one app cannot listen at several addresses");
  }
  RATLS_CHECK(server::check_app(options, state_->address.has_value()));
  while (state_->upstreams.size() < options.processes) state_->upstreams.add();
  state_->app = std::move(options);
  return {};
}

Result<void> Server::State::start_app(Running& running) {
  if (!app) return {};
  running.apps = std::make_unique<server::AppSupervisor>(*app, upstreams, address,
                                                         running.metrics.app_restarts);
  return running.apps->start();
}

Result<void> Server::State::start_admin(Running& running, std::function<Result<void>()> reload) {
  if (options.admin_host.empty()) return {};
  const server::Watched watched{*running.workers, running.metrics, staple.get(),
                                upstreams.empty() ? nullptr : &upstreams};
  RATLS_TRY(running.admin, server::start_operations(options, watched, std::move(reload)));
  server::log(server::LogLevel::info, "operations at " + running.admin->url());
  return {};
}

Result<void> Server::start(Attester attester) {
  const SigpipeSilence silence;  // as in run_until_signal
  tls::set_up_openssl();
  const std::lock_guard lock(state_->mutex);
  if (state_->running) {
    return Error(Code::config_invalid, "start", "the server is running already");
  }
  RATLS_CHECK(server::check_options(state_->options));  // before a quote is made
  const UnixTime now = system_now();
  auto running = std::make_unique<Running>();
  RATLS_TRY(AttestedCertificate certificate, running->metrics.certificates.certify(attester, now));
  RATLS_TRY(running->tls, ServerTls::create(certificate, state_->options.lowest_tls));
  server::Upstreams* upstreams = state_->upstreams.empty() ? nullptr : &state_->upstreams;
  RATLS_TRY(running->workers,
            Workers::listen(state_->options, state_->router, &*running->tls, upstreams));
  std::function<Result<void>()> reload_by_admin;
  if (state_->on_reload) reload_by_admin = [this] { return reload(); };
  RATLS_CHECK(state_->start_admin(*running, std::move(reload_by_admin)));
  RATLS_CHECK(state_->start_app(*running));
  if (state_->options.session_evidence) {
    running->session_evidence.emplace(attester, running->metrics.sessions);
    running->workers->offer(*running->session_evidence);
  }
  const RenewalSchedule schedule(now, certificate.not_after());
  running->renewal.emplace(std::move(attester), std::move(certificate), *running->tls, schedule,
                           state_->staple.get());
  running->renewal->count_in(running->metrics.certificates);
  running->renewal->refresh_staple(now);
  auto started = state_->upstreams.start_dialing();
  if (started) started = running->workers->start();
  if (started) started = running->renewal->start();
  if (started && running->session_evidence) started = running->session_evidence->start();
  if (!started) {
    stop_running(*running, state_->upstreams);
    return started;
  }
  running->metrics.phase = Phase::serving;
  state_->port = running->workers->port();
  state_->running = std::move(running);
  return {};
}

std::uint16_t Server::port() const noexcept { return state_->port; }

std::string Server::url() const { return server::url_of("https", state_->options.host, port()); }

std::string Server::admin_url() const {
  const std::lock_guard lock(state_->mutex);
  const bool is_there = state_->running && state_->running->admin;
  return is_there ? state_->running->admin->url() : std::string();
}

void Server::stop() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->running) return;
  stop_running(*state_->running, state_->upstreams);
  state_->running.reset();
}

Server& Server::on_reload(std::function<Result<void>()> action) {
  state_->on_reload = std::move(action);
  return *this;
}

Result<void> Server::reload() {
  if (!state_->on_reload) return Error(Code::usage, "reload", "there is nothing to load again");
  const std::lock_guard lock(state_->reload_mutex);
  auto outcome = state_->on_reload();
  if (outcome) {
    server::log(server::LogLevel::info, "the configuration was loaded again");
  } else {
    server::log(server::LogLevel::error,
                "the configuration stays as it was: " + outcome.error().where() + ": " +
                    outcome.error().message());
  }
  return outcome;
}

Result<void> Server::apply(const ServerOptions& options, std::optional<Attester> attester) {
  // Not waited for: stop() has it while it waits for a request that may have asked for this.
  const std::unique_lock lock(state_->mutex, std::try_to_lock);
  if (!lock || !state_->running) {
    return Error(Code::config_invalid, "apply", "the server is not running");
  }
  RATLS_CHECK(check_unchanged(state_->options, options));
  RATLS_CHECK(state_->running->workers->apply(options));
  if (attester && state_->running->session_evidence) {
    state_->running->session_evidence->use(*attester);
  }
  state_->running->renewal->reload(std::move(attester));
  return {};
}

void Server::block_signals() { server::block_termination_signals(); }

void Server::block_reload_signal() { server::block_reload_signal(); }

void Server::run_until_signal() {
  const SigpipeSilence silence;  // whoever reads the log may have gone
  server::WhileWaiting meanwhile;
  // What went wrong is in the log: nobody here waits for it.
  if (state_->on_reload) {
    meanwhile.reload = [this] {
      server::tell_systemd(reloading());
      reload().has_value();
      server::tell_systemd("READY=1");
    };
  }
  meanwhile.beat_period = server::watchdog_period();
  meanwhile.beat = [this] {
    // A reload by another thread must not find the second mutex taken: it would give up. stop() may
    // have it for long, waiting for such a reload.
    const auto are_alive = [&] {
      const std::lock_guard no_reload(state_->reload_mutex);
      const std::unique_lock lock(state_->mutex, std::try_to_lock);
      return lock && state_->running && state_->running->workers->are_alive();
    };
    if (are_alive()) server::tell_systemd("WATCHDOG=1");
  };
  server::tell_systemd("READY=1");
  server::wait_for_termination(meanwhile);
  server::tell_systemd("STOPPING=1");
  stop();
}

}  // namespace ratls
