// SPDX-License-Identifier: Apache-2.0
#include "server/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/log.h"

namespace ratls::server {
namespace {

using boost::asio::ip::tcp;

// Head and body in one record and one write(2) up to here.
constexpr std::size_t kJoinedOutput = 16 * 1024;
// A small buffer stays for the next answer.
constexpr std::size_t kKeptOutput = 1024;
// Other connections get their turn after so many steps of one.
constexpr int kStepsPerTurn = 32;
// Unfinished bodies of all clients together may take as much memory as so many of the largest.
constexpr std::size_t kLargestBodiesHeld = 16;
constexpr std::chrono::seconds kLingerTime{2};
// For a first request that may be under way, when there is no time for more.
constexpr std::chrono::seconds kLastChance{3};

std::string describe_peer(const tcp::endpoint& peer) {
  const std::string address = peer.address().to_string();
  return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(peer.port());
}

}  // namespace

Connection::Connection(Worker& worker, Descriptor socket, const tcp::endpoint& peer,
                       Welcome welcome)
    : worker_(worker),
      socket_(std::move(socket)),
      transport_(worker.service().tls == nullptr ? plain_transport()
                                                 : tls_transport(*worker.service().tls)),
      peer_(describe_peer(peer)),
      welcome_(welcome) {}

Connection::~Connection() = default;

void Connection::start(Worker::Connections::iterator place) {
  place_ = place;
  deadline_ = worker_.deadline_after(patience(worker_.options().handshake_timeout));
  if (!transport_->start(socket_.get())) return close();
  watch_.emplace(worker_.loop(), socket_.get(), [this](Watch::Event event) { on_ready(event); });
  watch_->wait_read();
}

void Connection::on_ready(Watch::Event event) {
  const auto self = shared_from_this();  // resume may close
  if (event.read) may_be_readable_ = true;
  resume();
}

void Connection::resume() {
  if (phase_ == Phase::closed) return;
  if (deadline_passed_) on_deadline();
  for (int count = 0; count < kStepsPerTurn; ++count) {
    switch (advance()) {
      case Step::again:
        break;
      case Step::wait_read:
        return watch_->wait_read();
      case Step::wait_write:
        return watch_->wait_write();
      case Step::waiting:
      case Step::closed:
        return;
    }
  }
  resume_later();
}

void Connection::resume_later() {
  worker_.loop().post([self = shared_from_this()] { self->resume(); });
}

Connection::Step Connection::advance() {
  switch (phase_) {
    case Phase::handshaking:
      return handshake();
    case Phase::reading:
      return read();
    case Phase::writing:
      return write();
    case Phase::relaying:
      return relay();
    case Phase::attesting:
      return Step::waiting;
    case Phase::lingering:
      return linger();
    case Phase::closed:
      return Step::closed;
  }
  return Step::closed;
}

Connection::Step Connection::step_of(Transport::Outcome outcome) {
  switch (outcome) {
    case Transport::Outcome::done:
      return Step::again;
    case Transport::Outcome::wait_read:
      return Step::wait_read;
    case Transport::Outcome::wait_write:
      return Step::wait_write;
    case Transport::Outcome::ended:
      return finish();
    case Transport::Outcome::failed:
      break;
  }
  // A client that breaks off is nothing to log.
  close();
  return Step::closed;
}

Connection::Step Connection::handshake() {
  const Transport::Outcome outcome = transport_->handshake();
  if (outcome == Transport::Outcome::ended || outcome == Transport::Outcome::failed) {
    worker_.metrics().count_failure(transport_->handshake_failure());
  }
  if (outcome != Transport::Outcome::done) return step_of(outcome);
  worker_.metrics().handshakes.add();
  phase_ = Phase::reading;
  const Step step = next_request();
  if (step == Step::wait_read) hurry_acknowledgement();
  return step;
}

// A server that sends no tickets has nothing to send after a TLS 1.3 handshake, so the kernel holds
// the acknowledgement of the client's Finished back, up to 40 ms, and a client with Nagle's
// algorithm holds its first request back as long. Setting the option sends what is due at once
// (tcp(7)). Gramine does not have it (ENOPROTOOPT); clients with TCP_NODELAY do not need it.
void Connection::hurry_acknowledgement() {
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

// Waiting before the next read saves a read(2) that would only say EAGAIN, unless read-ahead has
// brought bytes of the next request already.
Connection::Step Connection::next_request() {
  const ServerOptions& options = worker_.options();
  if (parser_ || !pending_.empty()) {
    deadline_ = worker_.deadline_after(patience(options.request_timeout));
  } else {
    deadline_ = worker_.deadline_after(idle_timeout());
  }
  const bool look_now = is_to_end() || more_in_pending_ || transport_->has_pending();
  return look_now ? Step::again : Step::wait_read;
}

std::chrono::seconds Connection::idle_timeout() const {
  const std::chrono::seconds ordinary = worker_.options().keep_alive_timeout;
  return worker_.draining() ? std::min(ordinary, kLastChance) : patience(ordinary);
}

// There are few places for those who are turned away.
std::chrono::seconds Connection::patience(std::chrono::seconds ordinary) const {
  return is_turned_away() ? std::min(ordinary, kLastChance) : ordinary;
}

Connection::Step Connection::read() {
  if (more_in_pending_) {
    take({});
    return Step::again;
  }
  std::size_t size = 0;
  const std::span<char> scratch = worker_.scratch();
  const Transport::Outcome outcome = transport_->read(scratch, size);
  if (outcome != Transport::Outcome::done) {
    const Step step = step_of(outcome);
    // One last look has found nothing, so nothing is lost by closing.
    if (step == Step::wait_read && has_no_request() && is_to_end()) return finish();
    return step;
  }
  if (has_no_request()) {
    deadline_ = worker_.deadline_after(patience(worker_.options().request_timeout));
  }
  take(std::string_view(scratch.data(), size));
  return Step::again;
}

void Connection::take(std::string_view arrived) {
  more_in_pending_ = false;
  if (pending_.empty()) {
    pending_ = serve(arrived);
  } else {
    pending_ += arrived;
    const std::size_t left = serve(pending_).size();
    pending_.erase(0, pending_.size() - left);
  }
  if (pending_.empty()) pending_ = std::string();
  if (exchange_) {
    phase_ = Phase::relaying;
  } else if (phase_ != Phase::attesting && !output_.empty()) {
    phase_ = Phase::writing;
    deadline_ = worker_.deadline_after(worker_.options().write_timeout);
  }
}

std::string_view Connection::serve(std::string_view input) {
  while (!input.empty() && !close_after_output_ && !exchange_ && phase_ != Phase::attesting) {
    if (output_.size() >= kJoinedOutput || !large_body_.empty()) {
      more_in_pending_ = true;
      return input;
    }
    if (!parser_) begin_request();
    input.remove_prefix(parser_->feed(input));
    if (is_turned_away() && parser_->header_done()) {
      refuse({503, "The server has too many connections."});
      return input;
    }
    if (refuse_stranger()) return input;
    if (is_for_app()) {
      begin_exchange();
      return input;
    }
    if (parser_->header_done() && is_too_large(*parser_)) {
      refuse({413, "The body is too large."});
      return input;
    }
    switch (parser_->state()) {
      case http::RequestParser::State::needs_more:
        if (!hold(parser_->request().body.size())) {
          refuse({503, "The server has no room for the body now."});
          return input;
        }
        if (parser_->awaits_continue() && !continue_sent_) {
          output_ += "HTTP/1.1 100 Continue\r\n\r\n";
          continue_sent_ = true;
        }
        return input;
      case http::RequestParser::State::complete:
        answer_request();
        break;
      case http::RequestParser::State::refused:
        refuse(parser_->refusal());
        break;
    }
  }
  return input;
}

// An app's body is passed on as it arrives; only what a handler is to get whole has a limit.
std::size_t Connection::body_limit() const {
  const Service& service = worker_.service();
  return service.upstreams == nullptr ? worker_.options().max_body_bytes
                                      : std::numeric_limits<std::size_t>::max();
}

bool Connection::is_too_large(http::RequestParser& parser) const {
  const std::size_t most = worker_.options().max_body_bytes;
  return parser.framing().content_length.value_or(0) > most || parser.request().body.size() > most;
}

void Connection::answer_request() {
  Request& request = parser_->request();
  request.peer = peer_;
  request.id = request_id_;
  if (begin_session_evidence(request)) return;
  answer(worker_.service().router.answer(request), persistence(worker_.draining()),
         request.method != "HEAD");
  end_request();
}

http::Persistence Connection::persistence(bool ends) const {
  if (!parser_->keeps_alive() || ends) return http::Persistence::close;
  return parser_->framing().http10 ? http::Persistence::keep_alive_http10
                                   : http::Persistence::keep_alive;
}

void Connection::refuse(const http::Refusal& refusal) {
  if (!parser_) begin_request();
  refuse_with(http::refusal_response(refusal, request_id_));
}

void Connection::refuse_with(Response response) {
  client_may_be_sending_ = true;
  if (is_turned_away()) response.headers.emplace_back("Retry-After", "1");
  const bool with_body = parser_->request().method != "HEAD";
  answer(std::move(response), http::Persistence::close, with_body);
  end_request();
}

/// refuse_stranger answers a request that is not for a local proxy; false when there is none.
bool Connection::refuse_stranger() {
  const http::LocalProxy* local = worker_.service().local;
  if (local == nullptr || !parser_->header_done() ||
      parser_->state() == http::RequestParser::State::refused) {
    return false;
  }
  const Request& request = parser_->request();
  const auto problem = http::check_local_request(request, *local);
  if (!problem) return false;
  log(LogLevel::warning,
      "refused " + request.method + " " + request.path + ": " + problem->error.where(),
      {{"id", request_id_}});
  refuse_with(http::problem_response(*problem, request_id_, http::wants_html(request)));
  return true;
}

bool Connection::hold(std::size_t size) {
  const std::size_t most = worker_.options().max_body_bytes;
  const std::size_t before = worker_.service().held_bytes.fetch_add(size - held_);
  const std::size_t growth = size - held_;
  held_ = size;
  return growth == 0 || (before + growth) / kLargestBodiesHeld <= most;
}

void Connection::begin_request() {
  parser_.emplace(http::HttpLimits{worker_.options().max_header_bytes, body_limit()});
  continue_sent_ = false;
  request_id_ = worker_.new_request_id();
  begun_ = std::chrono::steady_clock::now();
}

void Connection::end_request() {
  worker_.service().held_bytes.fetch_sub(std::exchange(held_, 0));
  parser_.reset();
  is_new_ = false;
}

void Connection::count_answer(int status) {
  worker_.metrics().count_answer(status);
  if (status == 101) return;  // a tunnel takes as long as it is used
  worker_.metrics().latency.observe(std::chrono::steady_clock::now() - begun_);
}

void Connection::answer(Response response, http::Persistence persistence, bool with_body) {
  count_answer(response.status);
  http::write_head(output_, response, response.body.size(), persistence, worker_.date(),
                   request_id_);
  const bool has_body = with_body && http::may_have_body(response.status);
  log_request(response.status, has_body ? response.body.size() : 0);
  if (has_body) {
    const std::size_t room = kJoinedOutput - std::min(kJoinedOutput, output_.size());
    output_.append(response.body, 0, room);
    if (response.body.size() > room) {
      large_body_ = std::move(response.body);
      large_body_start_ = room;
    }
  }
  close_after_output_ = persistence == http::Persistence::close;
}

std::string_view Connection::unsent() const {
  const std::string& current = output_.empty() ? large_body_ : output_;
  return std::string_view(current).substr(sent_);
}

void Connection::sent(std::size_t size) {
  sent_ += size;
  if (!unsent().empty()) return;
  const bool was_output = !output_.empty();
  sent_ = was_output ? large_body_start_ : 0;
  large_body_start_ = 0;
  std::string& current = was_output ? output_ : large_body_;
  current.clear();
  if (current.capacity() > kKeptOutput) current = std::string();
}

Connection::Step Connection::write() {
  const std::string_view rest = unsent();
  if (!rest.empty()) {
    std::size_t size = 0;
    const Transport::Outcome outcome = transport_->write(rest, size);
    if (outcome != Transport::Outcome::done) return step_of(outcome);
    sent(size);
  }
  if (!unsent().empty()) return Step::again;
  if (close_after_output_) return finish();
  phase_ = Phase::reading;
  return next_request();
}

// The client may not have seen our answer while it is still sending: closing now would make the
// kernel answer its bytes with a reset, which can overtake the answer (RFC 9112 9.6).
Connection::Step Connection::linger() {
  const std::span<char> scratch = worker_.scratch();
  const ssize_t size = ::recv(socket_.get(), scratch.data(), scratch.size(), 0);
  if (size > 0 || (size < 0 && errno == EINTR)) return Step::again;
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Step::wait_read;
  close();
  return Step::closed;
}

Connection::Step Connection::finish() {
  transport_->end();
  if (client_may_be_sending_) {
    ::shutdown(socket_.get(), SHUT_WR);
    phase_ = Phase::lingering;
    deadline_ = worker_.deadline_after(kLingerTime);
    return Step::again;
  }
  close();
  return Step::closed;
}

void Connection::drain() {
  if (is_handshaking() || (is_idle() && is_new_)) {
    deadline_ = std::min(deadline_, worker_.deadline_after(idle_timeout()));
    return;
  }
  // A connection without a request looks once more and ends.
  if (is_idle()) resume_later();
}

void Connection::check_deadline(Tick now) {
  if (watch_) watch_->look_again();
  if (phase_ == Phase::attesting) leave_if_client_has();
  if (phase_ == Phase::closed || (now < deadline_ && !body_is_too_slow())) return;
  deadline_ = kNever;
  deadline_passed_ = true;
  resume_later();
}

void Connection::on_deadline() {
  deadline_passed_ = false;
  if (phase_ == Phase::writing) return abort_reading();
  if (phase_ == Phase::relaying) return on_relay_deadline();
  if (phase_ == Phase::attesting) {
    return end_session_evidence(http::refusal_response({503, "The evidence took too long."}));
  }
  if (phase_ == Phase::handshaking) worker_.metrics().count_failure(HandshakeFailure::timeout);
  if (phase_ != Phase::reading) return abort();
  if (is_idle()) {
    finish();
    return;
  }
  refuse({408, "The request did not arrive in time."});
  phase_ = Phase::writing;
  deadline_ = worker_.deadline_after(worker_.options().write_timeout);
}

/// reset_on_close has the client see that the connection was cut.
void Connection::reset_on_close() {
  const ::linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Connection::abort_reading() {
  // What the client does not read must not stay in the kernel's buffers.
  reset_on_close();
  abort();
}

void Connection::abort() {
  if (phase_ != Phase::closed) close();
}

void Connection::close() {
  phase_ = Phase::closed;
  session_question_.reset();
  const auto self = shared_from_this();
  if (exchange_ && exchange_->state() == Exchange::State::tunnel) {
    count_answer(exchange_->status());
  } else if (exchange_) {
    worker_.metrics().unfinished.add();
  }
  if (exchange_) {
    log_unfinished();
  }
  if (exchange_ && exchange_->is_cut() && worker_.service().tls == nullptr) {
    // Without TLS an answer may end with the connection: only a reset tells that it is cut.
    reset_on_close();
  }
  exchange_.reset();
  end_request();
  watch_.reset();
  socket_.reset();
  worker_.forget(place_);
}

}  // namespace ratls::server
