// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ratls/channel.h"
#include "ratls/policy.h"
#include "ratls/tls.h"

namespace ratls {

/// open_policy_sources opens the sources that the verifier's policy names: files, "pcs" and
/// addresses of PCCS. "stapled" is only what certificates bring themselves: asking their servers is
/// a Client's. Errors: policy_invalid.
/// What comes from a network goes through a cache; without options there is none.
Result<std::shared_ptr<CollateralSource>> open_policy_sources(
    const Verifier& verifier, const std::optional<CacheOptions>& cache = CacheOptions{});

/// ClientOptions says how to connect; what to trust is the policy's.
struct ClientOptions {
  std::chrono::milliseconds connect_timeout{10000};  ///< with the handshake and its verification
  std::chrono::milliseconds stall_timeout{60000};    ///< without a byte in either direction
  std::chrono::milliseconds total_timeout{0};        ///< of one exchange; 0: only the others count
  /// retries is how often connection errors are repeated, with growing pauses: 801, 802, 804 and
  /// 814 before a verdict, 803 before an answer when the method is idempotent, and 806, a server
  /// that can make no evidence for the session now. A refusal is final.
  int retries = 0;
  std::size_t max_body_bytes = 64 * 1024 * 1024;  ///< of an answer kept in memory
  int max_redirects = 5;  ///< within the same origin; 0: a redirect is an answer like others
  std::string proxy;      ///< http:// or SOCKS; empty: the environment's (HTTPS_PROXY)
  bool use_environment_proxy = true;
  CacheOptions cache;  ///< of collateral from a network
};

struct ClientRequest {
  std::string method = "GET";
  std::string path = "/";  ///< path and query, beginning with a slash; empty: the client's URL
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<std::chrono::milliseconds> connect_timeout{};  ///< in place of the client's
  std::optional<std::chrono::milliseconds> stall_timeout{};
  std::optional<std::chrono::milliseconds> total_timeout{};
  VerdictListener on_verdict{};  ///< told of the handshakes made for this request
};

/// ClientResponse is an answer with the identity of who gave it.
struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                                ///< empty when it went to a sink
  std::shared_ptr<const AttestedSession> session;  ///< never null

  std::string_view header(std::string_view name) const;
  const Report& identity() const { return session->peer().report(); }
};

/// BodySink takes a part of a body; false ends the transfer. It may not call the client.
using BodySink = std::function<bool(BytesView)>;

/// ResponseStream is an answer whose head has arrived and whose body is still to be read. Ending it
/// before the body's end closes its connection; after that it is kept. It may outlive the client.
/// Thread-safety: one thread at a time.
class ResponseStream {
 public:
  ResponseStream(ResponseStream&&) noexcept;
  ResponseStream& operator=(ResponseStream&&) noexcept;
  ~ResponseStream();

  int status() const noexcept;
  const std::vector<std::pair<std::string, std::string>>& headers() const noexcept;
  std::string_view header(std::string_view name) const;  ///< in any spelling; no data: none
  const std::shared_ptr<const AttestedSession>& session() const noexcept;  ///< never null
  const Report& identity() const { return session()->peer().report(); }

  /// read gives how many bytes of the body it has put into a buffer, which is not empty; 0 at the
  /// end. Blocks: until there are some. Errors: connection_closed, timeout.
  Result<std::size_t> read(std::span<std::uint8_t> into);

 private:
  friend class Client;
  struct State;
  explicit ResponseStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Client talks HTTPS to one origin and verifies the server inside each TLS handshake, before it
/// sends a byte of a request. A kept connection ends with its verdict. It reads neither SSL_CERT_*,
/// SSLKEYLOGFILE nor ~/.netrc.
/// Thread-safety: any thread. Calls that overlap have connections of their own; a few that are idle
/// are kept.
class Client {
 public:
  /// url is the origin, with an optional path that request paths are appended to:
  /// "https://host:8000". source: where collateral comes from; null: as the policy says.
  /// Errors: url_invalid, usage, proxy_unsupported, policy_invalid, policy_empty.
  static Result<Client> create(const std::string& url, Policy policy, ClientOptions options = {},
                               std::shared_ptr<CollateralSource> source = nullptr);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// request sends and waits for the whole answer. With a sink the body goes there instead.
  /// Blocks. Errors: those of the verifier for a refused server (the report is in last_verdict),
  /// usage and url_invalid for a request that cannot be sent as it is, connection_failed,
  /// proxy_failed, handshake_failed, connection_closed, timeout, redirect_refused,
  /// answer_too_large, file_unwritable when the sink ends the transfer.
  Result<ClientResponse> request(const ClientRequest& request, const BodySink& sink = nullptr);
  /// open sends and waits for the head of the answer; the rest is read from the stream, however
  /// large it is. Blocks. Errors: as request.
  Result<ResponseStream> open(const ClientRequest& request);
  Result<ClientResponse> get(const std::string& path);
  Result<ClientResponse> post(const std::string& path, std::string body,
                              const std::string& content_type = "application/json");

  /// connect verifies the server without sending a request of the user's, on a new connection that
  /// it closes.
  Result<std::shared_ptr<const AttestedSession>> connect(
      const VerdictListener& on_verdict = nullptr);

  /// dial verifies the server likewise and gives the connection, for what is not a request of ours.
  /// It may outlive the client. Blocks.
  Result<std::unique_ptr<Channel>> dial(const VerdictListener& on_verdict = nullptr);

  /// last_verdict is the newest one on a handshake, or on its session where the policy demands
  /// fresh evidence; accepted or not; null before the first one.
  std::shared_ptr<const Verdict> last_verdict() const;

 private:
  friend class ResponseStream;
  struct State;
  explicit Client(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the streams
};

/// fetch_certificate makes a TLS handshake with the origin of url, takes the server's certificate
/// (DER) and ends the connection without a byte of application data. It decides nothing.
/// Errors: url_invalid, proxy_unsupported, connection_failed, proxy_failed, handshake_failed,
/// timeout.
Result<Bytes> fetch_certificate(const std::string& url, const ClientOptions& options = {});

}  // namespace ratls
