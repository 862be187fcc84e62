// SPDX-License-Identifier: Apache-2.0
#include "server/exchange.h"

#include <cerrno>
#include <cstring>

#include "server/log.h"

namespace ratls::server {
namespace {

constexpr std::size_t kRoom = 32 * 1024;
constexpr std::chrono::seconds kConnectTimeout{5};
constexpr int kMostAttempts = 2;

std::string as_request(const Request& request, const http::Framing& framing,
                       const http::LocalProxy* local) {
  std::string head;
  http::write_forwarded_request(head, request, framing, local);
  return head;
}

/// status_of is what a connection that was not made becomes.
int status_of(const Error& error) {
  if (error.code() == Code::timeout) return 504;
  return exit_code(error.code()) == exit_code(Code::connection_failed) ? 503 : 502;
}

/// code_of a status that fail() gives.
Code code_of(int status) {
  if (status == 504) return Code::timeout;
  return status == 503 ? Code::connection_failed : Code::connection_closed;
}

// RFC 9110 9.2.2: what may be sent again when the connection broke. A body is gone once it is sent.
bool is_repeatable(const Request& request, const http::Framing& framing) {
  const bool has_body = framing.chunked || framing.content_length.value_or(0) > 0;
  return !has_body &&
         (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS");
}

}  // namespace

Exchange::Exchange(Worker& worker, const Request& request, const http::Framing& framing,
                   ClientSide client, std::function<void()> wake)
    : worker_(worker),
      local_(worker.service().local),
      peer_(local_ != nullptr ? "The server" : "The app"),
      wake_(std::move(wake)),
      client_(client),
      id_(request.id),
      method_(request.method),
      path_(request.path),
      local_host_(request.header("host")),
      wants_html_(http::wants_html(request)),
      head_(as_request(request, framing, local_)),
      to_head_(request.method == "HEAD"),
      chunked_(framing.chunked),
      wants_websocket_(http::wants_websocket(request, framing)),
      is_repeatable_(is_repeatable(request, framing)),
      parser_(worker.options().max_header_bytes, to_head_) {}

Exchange::~Exchange() = default;

bool Exchange::has_output_room(std::size_t size) { return size < kRoom; }

bool Exchange::has_room() const {
  return !is_over() && connected_ && !app_is_deaf_ && to_app_.size() - sent_ < kRoom;
}

void Exchange::send(std::string_view part) {
  if (chunked_ && state_ != State::tunnel) {
    http::write_chunk(to_app_, part);
  } else {
    to_app_ += part;
  }
}

void Exchange::end_body() {
  body_done_ = true;
  last_chunk_due_ = chunked_;
}

std::optional<std::size_t> Exchange::app() const {
  if (!load_) return std::nullopt;
  return load_->upstream().number();
}

std::chrono::seconds Exchange::timeout() const {
  const ServerOptions& options = worker_.options();
  // To dial may mean to wait for others, or for an app that is busy.
  if (!connected_ && !dialing_) return kConnectTimeout;
  return head_given_ ? options.stream_timeout : options.upstream_timeout;
}

bool Exchange::advance(std::string& output) {
  if (is_over()) return false;
  if (!socket_ && !dialing_ && (!connect() || dialing_)) return true;
  if (dialing_ && !finish_dial()) return !dialing_;
  if (!connected_ && !finish_connect()) return is_over() || !socket_;
  const bool wrote = write();
  const bool gave = !is_over() && has_output_room(output.size()) && read(output);
  return wrote || gave || is_over();
}

/// connect begins a connection; false when the exchange has failed.
bool Exchange::connect() {
  ++attempts_;
  // One that has just ended counts as up for a moment, with nothing to do.
  const Upstream* const failed = load_ ? &load_->upstream() : nullptr;
  load_.reset();
  auto chosen = worker_.service().upstreams->choose(failed);
  if (!chosen) {
    fail(503, "No app is ready to answer.");
    return false;
  }
  load_.emplace(std::move(*chosen));
  Upstream& upstream = load_->upstream();
  generation_ = upstream.generation();
  to_app_ = head_;
  sent_ = 0;
  anything_came_ = false;
  socket_ = worker_.upstream_pool().take(upstream);
  connected_ = socket_ != nullptr;
  if (!socket_ && upstream.dialer() != nullptr) {
    dialing_ = upstream.dialer()->begin(worker_.loop(), wake_);
    if (!dialing_) fail(503, peer_ + " has too many requests waiting.");
    return dialing_ != nullptr;
  }
  if (!socket_ && !open_socket()) return false;
  socket_->wake_with(wake_);
  return true;
}

/// open_socket begins a connection to an app; false when there is none.
bool Exchange::open_socket() {
  auto descriptor = load_->upstream().connect();
  if (!descriptor) {
    on_no_connection(descriptor.error());
    return false;
  }
  socket_ = std::make_unique<UpstreamSocket>(worker_.loop(), std::move(*descriptor));
  return true;
}

/// finish_dial is true when the connection is made, and a server elsewhere verified.
bool Exchange::finish_dial() {
  auto outcome = dialing_->take();
  if (!outcome) return false;
  dialing_.reset();
  if (!*outcome) {
    on_no_connection(outcome->error());
    return false;
  }
  socket_ = std::make_unique<UpstreamSocket>(worker_.loop(), std::move(*outcome).value());
  socket_->wake_with(wake_);
  connected_ = true;
  return true;
}

/// on_no_connection tries another process of an app where that may help.
void Exchange::on_no_connection(const Error& error) {
  if (local_ == nullptr && error.code() == Code::connection_closed) {
    again_or_fail(error.detail());
  } else {
    fail_with(status_of(error), error);
  }
}

/// finish_connect is true when the connection is made.
bool Exchange::finish_connect() {
  switch (socket_->connected()) {
    case UpstreamSocket::Outcome::done:
      connected_ = true;
      return true;
    case UpstreamSocket::Outcome::failed:
      again_or_fail(peer_ + " cannot be reached: " + std::strerror(errno) + ".");
      return false;
    default:
      return false;
  }
}

bool Exchange::write() {
  if (last_chunk_due_) {
    http::write_last_chunk(to_app_);
    last_chunk_due_ = false;
  }
  if (sent_ == to_app_.size() || app_is_deaf_) return false;
  std::size_t size = 0;
  switch (socket_->write(std::string_view(to_app_).substr(sent_), size)) {
    case UpstreamSocket::Outcome::done:
      sent_ += size;
      if (sent_ == to_app_.size()) {
        to_app_.clear();
        sent_ = 0;
      }
      return true;
    case UpstreamSocket::Outcome::wait:
      return false;
    default:
      // It may have answered before it closed.
      app_is_deaf_ = true;
      return true;
  }
}

bool Exchange::read(std::string& output) {
  std::size_t size = 0;
  const std::span<char> scratch = worker_.scratch();
  switch (socket_->read(scratch, size)) {
    case UpstreamSocket::Outcome::done:
      anything_came_ = true;
      take(std::string_view(scratch.data(), size), output);
      return true;
    case UpstreamSocket::Outcome::wait:
      return false;
    case UpstreamSocket::Outcome::failed:
      // Of an answer that ends with its connection this is no end.
      if (anything_came_ && state_ == State::open) {
        fail(502, "The connection broke before the end of the answer.");
        return true;
      }
      break;
    case UpstreamSocket::Outcome::ended:
      break;
  }
  on_end(output);
  return true;
}

void Exchange::take(std::string_view arrived, std::string& output) {
  if (state_ == State::tunnel) {
    output += arrived;
    body_bytes_ += arrived.size();
    return;
  }
  from_app_ += arrived;
  std::string_view rest = from_app_;
  while (state_ == State::open) {
    const std::size_t taken = parser_.feed(rest);
    rest.remove_prefix(taken);
    const bool another = give(output);
    if (taken == 0 && !another) break;
  }
  if (state_ == State::tunnel) {
    output += rest;
    body_bytes_ += rest.size();
    rest = {};
  }
  from_app_.erase(0, from_app_.size() - rest.size());
  if (state_ == State::done) give_back();
}

/// give passes on what the parser has; true when the parser begins anew, after an interim answer.
bool Exchange::give(std::string& output) {
  if (parser_.state() == http::ResponseParser::State::refused) {
    fail(502, peer_ + "'s answer is not well-formed: " + parser_.refusal().reason);
    return false;
  }
  if (!parser_.header_done()) return false;
  if (!head_given_ && parser_.response().status < 200) {
    give_interim(output);
    return state_ == State::open;
  }
  if (!head_given_) give_head(output);
  std::string& body = parser_.response().body;
  if (body_framing_ != http::BodyFraming::none) body_bytes_ += body.size();
  if (body_framing_ == http::BodyFraming::chunked) {
    http::write_chunk(output, body);
  } else if (body_framing_ != http::BodyFraming::none) {
    output += body;
  }
  body.clear();
  if (parser_.state() == http::ResponseParser::State::complete) complete(output);
  return false;
}

void Exchange::give_interim(std::string& output) {
  Response& response = parser_.response();
  if (local_ != nullptr) http::make_local(response.headers, *local_, local_host_);
  if (response.status == 101) {
    if (!wants_websocket_ || !http::agrees_to_websocket(response)) {
      return fail(502, peer_ + " changed to a protocol that was not asked for.");
    }
    http::write_interim_answer(output, response, id_);
    head_given_ = true;
    status_ = response.status;
    state_ = State::tunnel;
    return;
  }
  // The server has asked for the body itself; HTTP/1.0 knows no interim answers.
  if (response.status != 100 && !client_.http10) http::write_interim_answer(output, response, id_);
  parser_ = http::ResponseParser(worker_.options().max_header_bytes, to_head_);
}

void Exchange::give_head(std::string& output) {
  const http::Framing& framing = parser_.framing();
  body_framing_ = http::body_framing(parser_.response(), framing, to_head_, client_.http10);
  // With a body still to come, the next request could not be told from its rest.
  closes_ = !client_.keeps_alive || !body_done_ || worker_.draining() ||
            body_framing_ == http::BodyFraming::until_close;
  http::Persistence persistence = http::Persistence::close;
  if (!closes_) {
    persistence =
        client_.http10 ? http::Persistence::keep_alive_http10 : http::Persistence::keep_alive;
  }
  if (local_ != nullptr) http::make_local(parser_.response().headers, *local_, local_host_);
  http::write_forwarded_answer(output, parser_.response(), framing, body_framing_, persistence,
                               worker_.date(), id_);
  head_given_ = true;
  status_ = parser_.response().status;
}

void Exchange::on_end(std::string& output) {
  if (state_ == State::tunnel) {
    state_ = State::done;
    return;
  }
  if (!anything_came_) return again_or_fail(peer_ + " closed the connection without an answer.");
  parser_.end();
  give(output);
  if (state_ == State::open) fail(502, peer_ + "'s answer is not whole.");
}

void Exchange::complete(std::string& output) {
  if (body_framing_ == http::BodyFraming::chunked) http::write_last_chunk(output);
  state_ = State::done;
}

/// give_back keeps the connection for another request, if both sides are through with this one.
void Exchange::give_back() {
  const bool both_are_through = body_done_ && to_app_.empty() && from_app_.empty() && !app_is_deaf_;
  if (!both_are_through || !parser_.keeps_alive() || worker_.draining()) return;
  socket_->wake_with(nullptr);
  worker_.upstream_pool().keep(load_->upstream(), generation_, std::move(socket_), worker_.now());
}

bool Exchange::may_repeat() const {
  return attempts_ < kMostAttempts && !head_given_ && (is_repeatable_ || !connected_);
}

/// again_or_fail is for a connection that broke before the app said anything.
void Exchange::again_or_fail(std::string reason) {
  socket_.reset();
  if (may_repeat()) {
    connected_ = false;
    app_is_deaf_ = false;
    return;  // the next advance connects
  }
  fail(502, std::move(reason));
}

void Exchange::fail(int status, std::string reason) {
  fail_with(status,
            Error(code_of(status), local_ != nullptr ? local_->server : "app", std::move(reason)));
}

void Exchange::fail_with(int status, Error error) {
  const std::string reason =
      local_ != nullptr ? error.where() + ": " + error.message() : error.detail();
  log(LogLevel::error, "no answer to " + method_ + " " + path_ + ": " + reason, {{"id", id_}});
  worker_.metrics().upstream_failures.at(static_cast<std::size_t>(status) - 502).add();
  problem_ = http::Problem{status, std::move(error)};
  state_ = head_given_ ? State::broken : State::refused;
  socket_.reset();
  dialing_.reset();
}

Response Exchange::refusal() const {
  if (local_ != nullptr) return http::problem_response(*problem_, id_, wants_html_);
  return http::refusal_response({problem_->status, problem_->error.detail()}, id_);
}

void Exchange::on_timeout() {
  if (state_ == State::tunnel) {
    state_ = State::done;
  } else if (!is_over()) {
    fail(504, peer_ + (connected_ ? " did not answer in time." : " cannot be reached."));
  }
}

void Exchange::wait(bool room) {
  if (is_over() || !socket_) return;
  if (!connected_ || (sent_ < to_app_.size() && !app_is_deaf_)) socket_->wait_write();
  if (connected_ && room) socket_->wait_read();
}

}  // namespace ratls::server
