// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "http/request_parser.h"
#include "http/write.h"
#include "server/exchange.h"
#include "server/transport.h"
#include "server/worker.h"

namespace ratls::server {

/// Connection is one client: HTTP/1.1 requests in their order, one answer after the other.
/// Thread-safety: only on its worker's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// Welcome says whether there is a place for the client, or an answer with 503 only.
  enum class Welcome { served, turned_away };

  Connection(Worker& worker, Descriptor socket, const boost::asio::ip::tcp::endpoint& peer,
             Welcome welcome);
  ~Connection();

  /// start begins the handshake. place is where the worker keeps this connection.
  void start(Worker::Connections::iterator place);
  /// drain ends the connection after the request that it is at, or after its first one.
  void drain();
  /// check_deadline ends what has taken too long, and looks whether a client that sends no more has
  /// read. It is called at each tick.
  void check_deadline(Tick now);
  /// abort closes at once.
  void abort();

  bool is_turned_away() const noexcept { return welcome_ == Welcome::turned_away; }
  bool is_handshaking() const noexcept { return phase_ == Phase::handshaking; }
  /// is_idle is true between requests.
  bool is_idle() const noexcept { return phase_ == Phase::reading && has_no_request(); }

 private:
  enum class Phase { handshaking, reading, writing, relaying, attesting, lingering, closed };
  /// Step says what a phase needs to go on; waiting is for one that has seen to it itself.
  enum class Step { again, wait_read, wait_write, waiting, closed };

  void on_ready(Watch::Event event);
  void resume();
  void resume_later();
  Step advance();
  Step handshake();
  Step read();
  Step write();
  Step linger();

  Step step_of(Transport::Outcome outcome);
  void hurry_acknowledgement();
  Step next_request();
  void on_deadline();
  bool has_no_request() const noexcept { return !parser_ && pending_.empty(); }
  /// is_to_end is true for a client that is served no further when it asks for nothing now.
  bool is_to_end() const { return worker_.draining() && !is_new_; }
  std::chrono::seconds idle_timeout() const;
  std::chrono::seconds patience(std::chrono::seconds ordinary) const;

  // connection_relay.cpp: a request that an app answers. next says what follows, unless the relay
  // goes on.
  bool is_for_app();
  void begin_exchange();
  void end_relayed_body();
  Step relay();
  bool relay_from_client(Step& next);
  bool wants_from_client() const;
  bool relay_body(Step& next);
  Step refuse_relayed(const http::Refusal& why);
  bool relay_to_client(Step& next);
  Step end_exchange();
  void wait_for_both();
  void on_relay_deadline();
  bool body_is_too_slow();

  // connection_session.cpp: a request for evidence of this very session.
  bool begin_session_evidence(const Request& request);
  void answer_session(Response response);
  void end_session_evidence(Response response);
  void leave_if_client_has();

  /// serve answers the whole requests at the front of input and gives what is left of it.
  std::string_view serve(std::string_view input);
  void take(std::string_view arrived);
  std::size_t body_limit() const;
  bool is_too_large(http::RequestParser& parser) const;
  http::Persistence persistence(bool ends) const;
  void answer(Response response, http::Persistence persistence, bool with_body);
  void answer_request();
  void count_answer(int status);
  void refuse(const http::Refusal& refusal);
  void refuse_with(Response response);
  bool refuse_stranger();
  /// hold counts an unfinished body; false when all of them have become too large.
  bool hold(std::size_t size);
  void begin_request();
  void end_request();
  /// log_request writes the access line, if one is wanted.
  void log_request(int status, std::uint64_t body_bytes, std::string_view cut_by = {});
  void log_unfinished();
  std::string_view unsent() const;
  void sent(std::size_t size);
  Step finish();
  void close();
  /// abort_reading closes so that what the client does not read is not kept for minutes.
  void abort_reading();
  void reset_on_close();

  Worker& worker_;
  Descriptor socket_;
  std::optional<Watch> watch_;  // of the socket, until it is closed
  std::unique_ptr<Transport> transport_;
  std::string peer_;
  const Welcome welcome_;
  Worker::Connections::iterator place_;
  Phase phase_ = Phase::handshaking;
  Tick deadline_ = kNever;
  std::optional<http::RequestParser> parser_;  // of the request that is being read
  std::string request_id_;                     // of the last request that has begun
  std::string pending_;                        // arrived, not yet taken by the parser
  std::string output_;                  // answers, with as much of their bodies as fits a record
  std::string large_body_;              // of the last answer in output_
  std::size_t large_body_start_ = 0;    // so much of it is in output_
  std::size_t sent_ = 0;                // of output_, then of large_body_
  std::unique_ptr<Exchange> exchange_;  // while relaying
  std::size_t held_ = 0;                // of an unfinished body, counted in the service
  std::size_t body_bytes_ = 0;          // of a relayed body, in the seconds of body_wait_
  Tick body_wait_ = 0;                  // seconds in which the app waited for the client
  std::chrono::steady_clock::time_point begun_;   // the request, with its first byte
  std::shared_ptr<const void> session_question_;  // while evidence is made for it
  bool is_new_ = true;                            // has had no request
  bool close_after_output_ = false;
  bool client_may_be_sending_ = false;  // when we close first
  bool more_in_pending_ = false;        // the output was full before the input was empty
  bool continue_sent_ = false;
  bool deadline_passed_ = false;
  bool read_wants_write_ = false;
  bool may_be_readable_ = true;  // since a read has last found nothing
};

}  // namespace ratls::server
