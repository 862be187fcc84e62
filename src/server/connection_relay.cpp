// SPDX-License-Identifier: Apache-2.0
#include "server/connection.h"

// The part of Connection that passes a request on to an app: it moves bytes between the client's
// transport and the Exchange, whichever side has some, and waits for both.
namespace ratls::server {

bool Connection::is_for_app() {
  return worker_.service().upstreams != nullptr && parser_->header_done() &&
         parser_->state() != http::RequestParser::State::refused &&
         !belongs_to_ratls(parser_->request().path);
}

void Connection::begin_exchange() {
  Request& request = parser_->request();
  request.peer = peer_;
  request.id = request_id_;
  const ClientSide client{parser_->keeps_alive(), parser_->framing().http10};
  const std::weak_ptr<Connection> weak = weak_from_this();
  exchange_ = std::make_unique<Exchange>(worker_, request, parser_->framing(), client, [weak] {
    if (const auto self = weak.lock()) self->resume();
  });
  if (parser_->awaits_continue()) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  const bool is_whole = parser_->state() == http::RequestParser::State::complete;
  if (is_whole && request.body.empty()) end_relayed_body();
  // The rest of a body is likely there; beyond it the wait will tell.
  may_be_readable_ = !is_whole || transport_->has_pending();
  write_wants_read_ = false;
  body_bytes_ = 0;
  body_wait_ = 0;
  deadline_ = worker_.deadline_after(exchange_->timeout());
}

void Connection::end_relayed_body() {
  exchange_->end_body();
  end_request();
}

Connection::Step Connection::relay() {
  Step next = Step::waiting;
  bool moved = relay_from_client(next);
  if (next != Step::waiting) return next;
  moved = exchange_->advance(output_) || moved;
  moved = relay_to_client(next) || moved;
  if (next != Step::waiting) return next;
  const Exchange::State state = exchange_->state();
  if (state == Exchange::State::refused || (state == Exchange::State::done && unsent().empty())) {
    return end_exchange();
  }
  if (state == Exchange::State::broken && unsent().empty()) {
    // Without the end of the answer, and without close_notify: the client sees that it is cut.
    close();
    return Step::closed;
  }
  if (moved) {
    const ServerOptions& options = worker_.options();
    deadline_ =
        worker_.deadline_after(unsent().empty() ? exchange_->timeout() : options.write_timeout);
    return Step::again;
  }
  wait_for_both();
  return Step::waiting;
}

/// relay_from_client moves what the client sends; true when something moved.
bool Connection::relay_from_client(Step& next) {
  const bool in_body = parser_.has_value();
  const bool in_tunnel = exchange_->state() == Exchange::State::tunnel;
  if (in_body && relay_body(next)) return true;
  if (in_tunnel && !pending_.empty()) {
    exchange_->send(pending_);
    pending_.clear();
  }
  // Beyond the body only the end of the connection is of interest: the beginning of another request
  // waits.
  read_wants_write_ = false;
  if (!wants_from_client() || !may_be_readable_) return false;
  std::size_t size = 0;
  const std::span<char> scratch = worker_.scratch();
  switch (transport_->read(scratch, size)) {
    case Transport::Outcome::done:
      pending_.append(scratch.data(), size);
      body_bytes_ += size;
      return true;
    case Transport::Outcome::wait_read:
      may_be_readable_ = false;
      return false;
    case Transport::Outcome::wait_write:
      read_wants_write_ = true;
      return false;
    default:
      // What the app answers has nobody to go to.
      close();
      next = Step::closed;
      return false;
  }
}

bool Connection::wants_from_client() const {
  const bool in_transit = parser_ || exchange_->state() == Exchange::State::tunnel;
  return in_transit ? exchange_->has_room() : pending_.empty();
}

/// relay_body passes on what has arrived of the request's body; true when something moved.
bool Connection::relay_body(Step& next) {
  if (!exchange_->has_room()) return false;
  std::size_t taken = 0;
  if (parser_->state() == http::RequestParser::State::needs_more && !pending_.empty()) {
    taken = parser_->feed(pending_);
    pending_.erase(0, taken);
  }
  if (parser_->state() == http::RequestParser::State::refused) {
    next = refuse_relayed(parser_->refusal());
    return true;
  }
  std::string& body = parser_->request().body;
  exchange_->send(body);
  const bool moved = taken > 0 || !body.empty();
  body.clear();
  if (parser_->state() != http::RequestParser::State::complete) return moved;
  end_relayed_body();
  return true;
}

/// refuse_relayed gives up an exchange for what the client did.
Connection::Step Connection::refuse_relayed(const http::Refusal& why) {
  const http::Refusal refusal = why;  // it lies in the parser, which ends here
  if (exchange_->head_given()) {
    close();
    return Step::closed;
  }
  exchange_.reset();
  refuse(refusal);
  phase_ = Phase::writing;
  deadline_ = worker_.deadline_after(worker_.options().write_timeout);
  return Step::again;
}

/// relay_to_client writes what is ready; true when something moved.
bool Connection::relay_to_client(Step& next) {
  const std::string_view rest = unsent();
  if (rest.empty()) return false;
  std::size_t size = 0;
  write_wants_read_ = false;
  switch (transport_->write(rest, size)) {
    case Transport::Outcome::done:
      sent(size);
      return true;
    case Transport::Outcome::wait_read:
      // The client is in the middle of a KeyUpdate.
      write_wants_read_ = true;
      return false;
    case Transport::Outcome::wait_write:
      return false;
    default:
      close();
      next = Step::closed;
      return false;
  }
}

Connection::Step Connection::end_exchange() {
  client_may_be_sending_ = parser_.has_value();
  if (exchange_->state() == Exchange::State::refused) {
    const ClientSide& client = exchange_->client();
    http::Persistence persistence = http::Persistence::close;
    if (client.keeps_alive && !client_may_be_sending_ && !worker_.draining()) {
      persistence =
          client.http10 ? http::Persistence::keep_alive_http10 : http::Persistence::keep_alive;
    }
    answer(exchange_->refusal(), persistence, !exchange_->to_head());
  } else {
    count_answer(exchange_->status());
    close_after_output_ = exchange_->closes();
    log_request(exchange_->status(), exchange_->body_bytes());
  }
  exchange_.reset();
  end_request();
  more_in_pending_ = !pending_.empty();
  phase_ = Phase::writing;
  deadline_ = worker_.deadline_after(worker_.options().write_timeout);
  return Step::again;
}

void Connection::wait_for_both() {
  const bool may_write = !unsent().empty() && !write_wants_read_;
  const bool may_read = wants_from_client() && !may_be_readable_;
  if (may_write || read_wants_write_) watch_->wait_write();
  if (may_read || write_wants_read_) watch_->wait_read();
  exchange_->wait(Exchange::has_output_room(output_.size()));
}

/// body_is_too_slow looks once a second whether the client sends what the app waits for. Once the
/// answer has begun the two may talk as slowly as they like, within stream_timeout.
bool Connection::body_is_too_slow() {
  if (!exchange_ || !parser_ || exchange_->head_given() || !exchange_->has_room()) return false;
  const ServerOptions& options = worker_.options();
  const auto period = static_cast<Tick>(options.request_timeout.count());
  if (++body_wait_ < period) return false;
  const bool is_slow = body_bytes_ / period < options.min_body_rate;
  body_wait_ = 0;
  body_bytes_ = 0;
  return is_slow;
}

void Connection::on_relay_deadline() {
  if (!unsent().empty()) return abort_reading();
  if (parser_ && exchange_->has_room()) {
    refuse_relayed({408, "The request did not arrive in time."});
    return;
  }
  exchange_->on_timeout();
}

}  // namespace ratls::server
