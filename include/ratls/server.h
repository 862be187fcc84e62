// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ratls/attester.h"
#include "ratls/http.h"
#include "ratls/tls.h"

namespace ratls {

/// Handler answers one request. It runs on the server's threads and must not block for long; what
/// it throws becomes a 500 that names nothing.
using Handler = std::function<Response(const Request&)>;

/// StapledCollateral is a collateral file's text and its earliest end.
struct StapledCollateral {
  std::string text;
  UnixTime expires{};
  Bytes endorsements;  ///< the same for the certificate (format_endorsements); empty: not there
};

/// StapleProvider finds the collateral for the platform that a certificate (DER) was made on.
/// Blocks: it may, on files or the network; it runs beside the traffic.
using StapleProvider =
    std::function<Result<StapledCollateral>(BytesView certificate, UnixTime now)>;

/// ServerOptions says how to serve; the defaults suit an enclave.
struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;  ///< 0: any free one, see Server::port
  unsigned threads = 2;
  TlsVersion lowest_tls = TlsVersion::tls13;
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_body_bytes = 16 * 1024 * 1024;
  std::size_t max_connections = 10000;
  std::size_t max_queued = 1024;  ///< connections beyond them that wait for a place
  std::chrono::seconds handshake_timeout{10};
  std::chrono::seconds queue_timeout{5};        ///< for a place; then the answer is 503
  std::chrono::seconds request_timeout{30};     ///< from the first byte of a request to its end
  std::chrono::seconds keep_alive_timeout{60};  ///< between requests
  std::chrono::seconds write_timeout{30};       ///< for one answer
  std::chrono::seconds upstream_timeout{60};    ///< for an app's answer to begin, or for evidence
  std::chrono::seconds stream_timeout{300};     ///< between parts of an answer, or of a WebSocket
  std::chrono::seconds drain_timeout{10};       ///< for requests in flight after stop()
  /// Bytes a second, on average over request_timeout, of a body that an app waits for; 0: any.
  std::size_t min_body_rate = 240;
  /// Where an operator asks for /metrics, /healthz and /readyz, and for a reload with POST /reload,
  /// in plain HTTP: an address of the loopback. Empty: nowhere.
  std::string admin_host = "";
  std::uint16_t admin_port = 0;  ///< 0: any free one, see Server::admin_url
  /// Clients may ask for evidence of their sessions (docs/session-evidence.md), each time a quote.
  bool session_evidence = true;
  bool access_log = false;  ///< a line for each request: method and path, never the query
};

/// AppOptions is an app behind the server, whose processes it starts and looks after: one that ends
/// is started again, at once and then with growing pauses of up to 30 s.
struct AppOptions {
  /// Program and arguments. "{fd}" in an argument becomes the number of an inherited descriptor, a
  /// listening UNIX socket; "{socket}" the path of a UNIX socket that the app makes itself, in a
  /// folder of mode 0700.
  std::vector<std::string> command;
  unsigned processes = 1;
  std::chrono::seconds start_timeout{60};  ///< until the app accepts connections
};

/// Server is an attested HTTPS/1.1 server: every connection is TLS with a certificate that carries
/// a fresh quote. One listener and one event loop per thread.
/// Thread-safety: route() and staple() before start(); the rest from any thread.
class Server {
 public:
  explicit Server(ServerOptions options = {});
  ~Server();  // stops

  /// route answers method and path exactly; a known path with another method gets 405.
  Server& route(std::string method, std::string path, Handler handler);

  /// staple hands out collateral at /.well-known/ratls/collateral, for clients that have no other
  /// source, and, where it says so, in the certificate, which is signed anew when they change. The
  /// provider is asked before start() returns, then every hour; a failure is logged.
  Server& staple(StapleProvider provider);

  /// forward_to passes all requests but those below /.well-known/ratls/ on to an app that listens
  /// at unix:PATH or http://127.0.0.1:PORT; more than once spreads them. Routes are then not asked.
  /// Errors: usage.
  Result<void> forward_to(std::string_view address);

  /// run_app starts processes of an app and forwards to them: see AppOptions. They are started by
  /// start() and ended by stop().
  /// Errors: usage.
  Result<void> run_app(AppOptions options);

  /// start makes the attested certificate, listens, and returns while threads serve. The
  /// certificate is renewed at two thirds of its life.
  /// Errors: quote_unavailable, listen_failed, config_invalid, command_not_run, app_failed.
  Result<void> start(Attester attester);

  /// on_reload says what reload() does; it may call apply(). Before start().
  Server& on_reload(std::function<Result<void>()> action);
  /// reload does it, one at a time, and logs how it went. run_until_signal calls it on SIGHUP, the
  /// operations listener for POST /reload.
  /// Errors: those of the action, usage when there is none.
  Result<void> reload();
  /// apply lets the running server go on with other limits, times and access log; of the options
  /// hosts, ports, threads, lowest_tls and session_evidence must be the same. With an attester a
  /// certificate is made at once, beside the traffic, and stapled collateral is looked for again.
  /// All or nothing. It belongs into the action of on_reload. Errors: config_invalid, with the
  /// option as the place.
  Result<void> apply(const ServerOptions& options, std::optional<Attester> attester);

  /// port is the real one, after start.
  std::uint16_t port() const noexcept;
  /// url is "https://host:port".
  std::string url() const;
  /// admin_url is "http://host:port" of the operations listener; empty while there is none.
  std::string admin_url() const;

  /// stop ends: who has connected by now may still ask once, requests in flight are answered, then
  /// all is closed. Blocks: at most drain_timeout and for a quote that is being made. Not from a
  /// handler.
  void stop();
  /// block_signals holds SIGTERM and SIGINT back for run_until_signal, so that one which comes
  /// before it is not lost. Call it in main, before other threads are made.
  static void block_signals();
  /// block_reload_signal holds SIGHUP back likewise, for a server with on_reload.
  static void block_reload_signal();
  /// run_until_signal waits for SIGTERM or SIGINT, then stops; a second one ends the process at
  /// once. It tells systemd when it is ready and when it stops. Call it from main after start().
  void run_until_signal();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ratls
