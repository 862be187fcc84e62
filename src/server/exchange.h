// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/forward.h"
#include "http/response_parser.h"
#include "server/dialer.h"
#include "server/upstream_pool.h"
#include "server/worker.h"

namespace ratls::server {

/// ClientSide is what an exchange has to know about the client.
struct ClientSide {
  bool keeps_alive = false;  ///< may send another request after this one
  bool http10 = false;
};

/// Exchange passes one request on to an app, and its answer back, as the bytes arrive: no more than
/// some tens of KiB are held for either side. It is the app's side; Connection is the client's.
/// Thread-safety: only on its worker's thread.
class Exchange {
 public:
  enum class State {
    open,     ///< under way
    tunnel,   ///< a WebSocket: bytes go both ways until one side ends
    done,     ///< the whole answer is in the output
    refused,  ///< nothing of an answer was given to the client: refusal() is to be
    broken    ///< the answer stopped in its middle
  };

  /// wake is called when a wait of the app's side is over. The request's body is not looked at: it
  /// comes through send().
  Exchange(Worker& worker, const Request& request, const http::Framing& framing, ClientSide client,
           std::function<void()> wake);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  /// has_room is true when send() may be called: the app takes what it gets.
  bool has_room() const;
  /// send passes on a part of the body, or of a tunnel's bytes.
  void send(std::string_view part);
  /// end_body says that the body is whole.
  void end_body();

  /// advance does what needs no waiting, and appends to output what the client is to get while that
  /// is small; true when something moved.
  bool advance(std::string& output);
  /// wait lets wake be called when the app's side can go on. room: whether output is small.
  void wait(bool room);
  /// on_timeout ends an exchange whose time is up.
  void on_timeout();

  State state() const noexcept { return state_; }
  /// refusal is the answer that takes the place of the app's.
  Response refusal() const;
  const ClientSide& client() const noexcept { return client_; }
  bool to_head() const noexcept { return to_head_; }
  bool head_given() const noexcept { return head_given_; }
  /// is_cut is true while the client has the head of an answer and not its end.
  bool is_cut() const noexcept {
    return head_given_ && state_ != State::tunnel && state_ != State::done;
  }
  /// closes is true when the client's connection cannot go on after the answer; known when done.
  bool closes() const noexcept { return closes_; }
  /// timeout is how long nothing may move in this state.
  std::chrono::seconds timeout() const;

  // For the access log:
  const std::string& method() const noexcept { return method_; }
  const std::string& path() const noexcept { return path_; }
  /// status is that of the answer, 0 while there is none.
  int status() const noexcept { return status_; }
  /// body_bytes is how much of its body was given to the client.
  std::uint64_t body_bytes() const noexcept { return body_bytes_; }
  /// app is the number of the process that was asked last.
  std::optional<std::size_t> app() const;

  /// has_output_room says whether advance would append to output of this size.
  static bool has_output_room(std::size_t size);

 private:
  bool is_over() const { return state_ != State::open && state_ != State::tunnel; }
  bool connect();
  bool open_socket();
  bool finish_connect();
  bool finish_dial();
  void on_no_connection(const Error& error);
  bool write();
  bool read(std::string& output);
  void take(std::string_view arrived, std::string& output);
  bool give(std::string& output);
  void give_head(std::string& output);
  void give_interim(std::string& output);
  void on_end(std::string& output);
  void complete(std::string& output);
  void give_back();
  bool may_repeat() const;
  void again_or_fail(std::string reason);
  void fail(int status, std::string reason);
  void fail_with(int status, Error error);

  Worker& worker_;
  const http::LocalProxy* const local_;  // null: for an app
  const std::string peer_;               // in sentences
  std::function<void()> wake_;
  const ClientSide client_;
  const std::string id_;
  const std::string method_;
  const std::string path_;
  const std::string local_host_;  // what the client calls us
  const bool wants_html_;
  const std::string head_;  // of the request
  const bool to_head_;
  const bool chunked_;
  const bool wants_websocket_;
  const bool is_repeatable_;
  http::ResponseParser parser_;
  std::optional<UpstreamLoad> load_;
  unsigned generation_ = 0;
  std::shared_ptr<Dialing> dialing_;  // until there is a socket
  std::unique_ptr<UpstreamSocket> socket_;
  bool connected_ = false;
  bool app_is_deaf_ = false;  // it takes no more, but may still answer
  bool body_done_ = false;
  bool last_chunk_due_ = false;
  bool anything_came_ = false;  // from the app, on this connection
  bool head_given_ = false;     // to the client
  int attempts_ = 0;
  std::uint64_t body_bytes_ = 0;
  http::BodyFraming body_framing_ = http::BodyFraming::none;
  std::string to_app_;
  std::size_t sent_ = 0;  // of to_app_
  std::string from_app_;  // not yet taken by the parser
  State state_ = State::open;
  std::optional<http::Problem> problem_;
  int status_ = 0;
  bool closes_ = true;
};

}  // namespace ratls::server
