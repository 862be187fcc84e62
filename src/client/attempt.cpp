// SPDX-License-Identifier: Apache-2.0
#include "client/attempt.h"

#include <openssl/ssl.h>

#include <algorithm>

#include "base/proxy.h"
#include "base/reader.h"
#include "client/text.h"

namespace ratls::client {
namespace {

// How much of a body is kept for a reader that does not come.
constexpr std::size_t kReadAhead = 256 * 1024;

Attempt& self_of(void* self) { return *static_cast<Attempt*>(self); }

bool names(const Headers& headers, std::string_view name) {
  for (const auto& header : headers) {
    if (equal_ignoring_case(header.first, name)) return true;
  }
  return false;
}

}  // namespace

Attempt::~Attempt() {
  line_.stop();
  curl_easy_reset(easy_);
}

Result<std::shared_ptr<const AttestedSession>> Attempt::connect(const Url& url,
                                                                const Proxy& proxy) {
  RATLS_CHECK(shake_hands(url, proxy));
  if (session_ == nullptr) return Error(Code::internal, place_, "no verdict on this connection");
  return session_;
}

Result<void> Attempt::shake_hands(const Url& url, const Proxy& proxy) {
  Options set(easy_);
  RATLS_CHECK(set_up(set, url, proxy));
  set.set(CURLOPT_CONNECT_ONLY, 1L);
  RATLS_CHECK(set.done());
  // Without the pool, which would close the connection at the end of the transfer.
  end(perform(easy_));
  if (failure_) return *failure_;
  return {};
}

Result<void> Attempt::open(const Message& message, const Proxy& proxy) {
  message_ = &message;
  Options set(easy_);
  RATLS_CHECK(set_up(set, message.url, proxy));
  set_message(set, message);
  RATLS_CHECK(set_headers(set, message));
  RATLS_CHECK(start(set));
  while (!ended_ && (!head_.complete() || is_followed())) step();
  if (failure_) return *failure_;
  if (session_ == nullptr && !challenge_) {
    return Error(Code::internal, place_, "no verdict on this connection");
  }
  return {};
}

Result<std::size_t> Attempt::read(std::span<std::uint8_t> into) {
  if (taken_ == body_.size()) {
    body_.clear();
    taken_ = 0;
    last_move_ = std::chrono::steady_clock::now();  // until here the reader was the one who waited
    while (!ended_ && body_.empty()) step();
  }
  if (body_.empty() && failure_) return *failure_;
  const std::size_t size = std::min(into.size(), body_.size() - taken_);
  std::copy_n(body_.begin() + static_cast<std::ptrdiff_t>(taken_), size, into.begin());
  taken_ += size;
  return size;
}

Result<void> Attempt::set_up(Options& set, const Url& url, const Proxy& proxy) {
  place_ = url.origin;
  proxy_ = proxy.url;
  RATLS_TRY(resolved_, make_list(options_.resolve));
  set_connection(easy_, set, url, proxy, options_, resolved_);
  set_callbacks(set);
  return {};
}

void Attempt::set_callbacks(Options& set) {
  set.set(CURLOPT_ERRORBUFFER, curl_text_.data())
      .set(CURLOPT_SSL_CTX_FUNCTION, &Attempt::context_callback)
      .set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(this))
      .set(CURLOPT_PREREQFUNCTION, &Attempt::connected_callback)
      .set(CURLOPT_PREREQDATA, static_cast<void*>(this))
      .set(CURLOPT_HEADERFUNCTION, &Attempt::head_callback)
      .set(CURLOPT_HEADERDATA, static_cast<void*>(this))
      .set(CURLOPT_WRITEFUNCTION, &Attempt::body_callback)
      .set(CURLOPT_WRITEDATA, static_cast<void*>(this))
      .set(CURLOPT_NOPROGRESS, 0L)
      .set(CURLOPT_XFERINFOFUNCTION, &Attempt::progress_callback)
      .set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
}

void Attempt::set_message(Options& set, const Message& message) {
  const std::string& method = message.method;
  if (method == "HEAD") {
    set.set(CURLOPT_NOBODY, 1L);
    return;
  }
  if (!message.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    set.set(CURLOPT_POST, 1L)
        .set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.body.size()))
        .set(CURLOPT_POSTFIELDS, message.body.data());
  }
  set.set(CURLOPT_CUSTOMREQUEST, method.c_str());
}

Result<void> Attempt::set_headers(Options& set, const Message& message) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : message.headers) {
    // libcurl removes a header whose line ends with the colon.
    lines.push_back(name);
    lines.back().append(trimmed(value).empty() ? ";" : ": ").append(trimmed(value));
  }
  // What libcurl would add of its own accord: a pause of a second, and a wrong type.
  if (!names(message.headers, "expect")) lines.emplace_back("Expect:");
  if (!names(message.headers, "content-type")) lines.emplace_back("Content-Type:");
  RATLS_TRY(header_list_, make_list(lines));
  set.set(CURLOPT_HTTPHEADER, header_list_.get());
  return {};
}

Result<void> Attempt::start(const Options& set) {
  RATLS_CHECK(set.done());
  begin_step("connection", place_);
  return line_.start();
}

void Attempt::step() {
  if (paused_) {
    paused_ = false;
    const CURLcode code = line_.resume();
    if (code != CURLE_OK) return end(code);
    if (!body_.empty()) return;
  }
  if (const auto code = line_.step()) end(*code);
}

void Attempt::end(CURLcode code) {
  ended_ = true;
  if (code != CURLE_OK || failure_) {
    failure_ = failure(code);
  } else if (const auto complete = check_end(); !complete) {
    failure_ = complete.error();
  }
  end_step(failure_ ? &*failure_ : nullptr);
}

// One step after the other: the next begins where the one before has succeeded.
void Attempt::begin_step(std::string_view what, std::string_view detail) {
  if (!options_.on_step) return;
  end_step(nullptr);
  step_ = {.letters = "", .what = what, .detail = ""};
  tell_step(detail);
}

void Attempt::end_step(const Error* failure, std::string_view detail) {
  if (!options_.on_step || step_.what.empty()) return;
  step_.ended = true;
  step_.failure = failure;
  tell_step(detail);
  step_ = {};
}

void Attempt::tell_step(std::string_view detail) {
  step_.detail = detail;
  options_.on_step(step_);
  step_.detail = "";
}

// Names only: a header's value, or what is asked for, may be a secret.
std::string Attempt::request_text() const {
  std::string text = message_->method + " " + message_->url.path;
  if (!message_->url.query.empty()) text += "?...";
  for (const auto& header : message_->headers) text += ", " + header.first;
  if (!message_->body.empty()) text += ", " + std::to_string(message_->body.size()) + " bytes";
  return text;
}

Result<void> Attempt::check_end() const {
  if (message_ == nullptr) return {};
  if (!head_.complete()) return Error(Code::connection_closed, place_, "no complete answer");
  if (is_delimited() || closed_by_server_) return {};
  return Error(Code::connection_closed, place_, "the answer may be cut: no close_notify");
}

// A server that was refused hears an alert and libcurl speaks of a TLS failure; the user needs the
// verdict's own words.
Error Attempt::failure(CURLcode code) const {
  if (failure_) return *failure_;
  if (verdict() != nullptr && !verdict()->accepted()) return verdict()->result.error();
  const std::string_view text = curl_text_.data();
  std::string detail = text.empty() ? curl_easy_strerror(code) : printable(text);
  const Code found = code_of(code);
  // Before the handshake all is between this side and the proxy.
  if (found == Code::connection_failed && !proxy_.empty()) {
    return Error(Code::proxy_failed, shown_proxy(proxy_), std::move(detail)).in(place_);
  }
  return Error(found, place_, std::move(detail));
}

Code Attempt::code_of(CURLcode code) const noexcept {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return Code::connection_failed;
    case CURLE_OPERATION_TIMEDOUT:
      return Code::timeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return phase_ == Phase::exchanging ? Code::connection_closed : Code::url_invalid;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return Code::internal;
    default:
      break;
  }
  switch (phase_) {
    case Phase::connecting:
      return Code::connection_failed;
    case Phase::handshaking:
      return Code::handshake_failed;
    case Phase::exchanging:
      break;
  }
  return Code::connection_closed;
}

bool Attempt::may_repeat(const Error& error) const {
  switch (error.code()) {
    case Code::connection_failed:
    case Code::proxy_failed:
    case Code::handshake_failed:
    case Code::connection_closed:
    case Code::timeout:
      break;
    case Code::quote_unavailable:  // of a question, which has nothing of the user's
      return true;
    default:
      return false;
  }
  if (request_sent_ && (head_.begun() || !message_->repeatable())) return false;
  if (phase_ == Phase::exchanging) return error.code() != Code::timeout;
  return verdict() == nullptr;
}

bool Attempt::is_followed() const {
  return options_.max_redirects > 0 && !redirect_location(head_.status(), head_.headers()).empty();
}

// RFC 9112 6.3: without a length or chunks an answer ends with the connection. libcurl takes any
// end of it, also one that somebody on the way has made.
bool Attempt::is_delimited() const {
  if (message_->method == "HEAD" || head_.status() == 204 || head_.status() == 304) return true;
  curl_off_t length = -1;
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length >= 0 || is_chunked(head_.headers());
}

ssl_st* Attempt::current_tls() const noexcept {
  curl_tlssessioninfo* info = nullptr;
  if (curl_easy_getinfo(easy_, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == nullptr ||
      info->backend != CURLSSLBACKEND_OPENSSL) {
    return nullptr;
  }
  return static_cast<SSL*>(info->internals);
}

bool Attempt::closed_by_server() const noexcept {
  const SSL* tls = current_tls();
  return tls != nullptr && (SSL_get_shutdown(tls) & SSL_RECEIVED_SHUTDOWN) != 0;
}

Result<std::shared_ptr<const AttestedSession>> Attempt::current_session() const {
  auto session = PeerVerifier::session_of(current_tls());
  if (session == nullptr) return Error(Code::internal, place_, "no verdict on this connection");
  return session;
}

Result<void> Attempt::on_context(void* context) {
  phase_ = Phase::handshaking;
  heard_->verdict = nullptr;
  // For the caller of a channel, who writes what there is by then.
  SSL_CTX_set_mode(static_cast<SSL_CTX*>(context),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  begin_step("TLS handshake", place_);
  return peer_.install(
      static_cast<SSL_CTX*>(context),
      [heard = heard_](const auto& verdict) { heard->verdict = verdict; }, AsksForSession::yes,
      options_.on_step);
}

Result<void> Attempt::find_session() {
  if (challenge_) return challenge_->bind(current_tls());
  auto session = current_session();
  if (!session && line_.attested() && PeerVerifier::verdict_of(current_tls()) != nullptr) {
    // libcurl has made a new one, of which nothing was asked.
    phase_ = Phase::exchanging;
    expired_ = true;
    return Error(Code::connection_closed, place_, "the connection with fresh evidence has ended");
  }
  RATLS_TRY(session_, std::move(session));
  return {};
}

Result<void> Attempt::on_connected() {
  // libcurl sends again when a kept connection turns out to be dead.
  if (request_sent_ && !message_->repeatable()) {
    return Error(Code::connection_closed, place_, "the server closed the kept connection");
  }
  RATLS_CHECK(find_session());
  const bool kept = phase_ != Phase::handshaking;
  if (kept && session_ != nullptr && clock_() > session_->peer().expires()) {
    expired_ = true;
    return Error(Code::connection_closed, place_, "the verdict of the kept connection has ended");
  }
  phase_ = Phase::exchanging;
  request_sent_ = message_ != nullptr;
  if (options_.on_step && message_ != nullptr) begin_step("request", request_text());
  if (message_ == nullptr) end_step(nullptr);
  begun_ = last_move_ = std::chrono::steady_clock::now();
  return {};
}

Result<void> Attempt::on_head_line(std::string_view line) {
  if (!head_.begun() && !challenge_) {
    RATLS_TRY(session_, current_session());
  }
  last_move_ = std::chrono::steady_clock::now();
  RATLS_CHECK(head_.add(line));
  if (options_.on_step && head_.complete()) {
    end_step(nullptr, "HTTP status " + std::to_string(head_.status()));
  }
  return {};
}

Result<void> Attempt::on_body(BytesView part) {
  if ((session_ == nullptr && !challenge_) || !head_.complete()) {
    return Error(Code::internal, place_, "a body without a verdict and a head");
  }
  if (!is_followed()) {
    body_.append(part.begin(), part.end());
    return {};
  }
  followed_ += part.size();
  if (followed_ <= options_.max_body_bytes) return {};
  return Error(Code::answer_too_large, place_,
               "more than " + std::to_string(options_.max_body_bytes) + " bytes");
}

Result<void> Attempt::on_progress(curl_off_t to_receive, curl_off_t received, curl_off_t to_send,
                                  curl_off_t sent) {
  if (phase_ != Phase::exchanging) return {};
  if (options_.on_progress) {
    options_.on_progress({.received = static_cast<std::uint64_t>(received),
                          .to_receive = static_cast<std::uint64_t>(to_receive),
                          .sent = static_cast<std::uint64_t>(sent),
                          .to_send = static_cast<std::uint64_t>(to_send)});
  }
  // libcurl calls once more between the end of the connection and that of the transfer.
  closed_by_server_ = closed_by_server();
  const auto now = std::chrono::steady_clock::now();
  if (received + sent != moved_) {
    moved_ = received + sent;
    last_move_ = now;
  }
  // The slowest server keeps moving: one byte a minute is no stall.
  if (options_.total_timeout.count() > 0 && now - begun_ > options_.total_timeout) {
    return Error(Code::timeout, place_,
                 "not done after " + std::to_string(options_.total_timeout.count()) + " ms");
  }
  if (now - last_move_ <= options_.stall_timeout) return {};
  return Error(Code::timeout, place_,
               "nothing moved for " + std::to_string(options_.stall_timeout.count()) + " ms");
}

// The first failure stays; no exception, of a sink for example, may pass through libcurl's C code.
template <class Step>
bool Attempt::guarded(Step step) noexcept {
  try {
    const Result<void> result = step();
    if (result) return true;
    if (!failure_) failure_ = result.error();
  } catch (...) {
    if (!failure_) failure_.emplace(Code::internal, "client", "an exception");
  }
  return false;
}

CURLcode Attempt::context_callback(CURL*, void* context, void* self) {
  Attempt& attempt = self_of(self);
  return attempt.guarded([&] { return attempt.on_context(context); }) ? CURLE_OK
                                                                      : CURLE_ABORTED_BY_CALLBACK;
}

int Attempt::connected_callback(void* self, char*, char*, int, int) {
  Attempt& attempt = self_of(self);
  return attempt.guarded([&] { return attempt.on_connected(); }) ? CURL_PREREQFUNC_OK
                                                                 : CURL_PREREQFUNC_ABORT;
}

std::size_t Attempt::head_callback(char* data, std::size_t size, std::size_t count, void* self) {
  Attempt& attempt = self_of(self);
  const std::string_view line(data, size * count);
  return attempt.guarded([&] { return attempt.on_head_line(line); }) ? line.size()
                                                                     : CURL_WRITEFUNC_ERROR;
}

std::size_t Attempt::body_callback(char* data, std::size_t size, std::size_t count, void* self) {
  Attempt& attempt = self_of(self);
  if (attempt.body_.size() >= kReadAhead) {
    attempt.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  const BytesView part = as_bytes(std::string_view(data, size * count));
  return attempt.guarded([&] { return attempt.on_body(part); }) ? part.size()
                                                                : CURL_WRITEFUNC_ERROR;
}

int Attempt::progress_callback(void* self, curl_off_t to_receive, curl_off_t received,
                               curl_off_t to_send, curl_off_t sent) {
  Attempt& attempt = self_of(self);
  const auto step = [&] { return attempt.on_progress(to_receive, received, to_send, sent); };
  return attempt.guarded(step) ? 0 : 1;
}

}  // namespace ratls::client
