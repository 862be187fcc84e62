// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <span>

#include "client/easy.h"
#include "client/message.h"

namespace ratls::client {

/// Attempt is one transfer: it lives from the setting of a handle's options to the end of the
/// answer, and knows how far the transfer came. Every connection, a new or a kept one, must show
/// its session before a byte of a request is sent on it, and again before its answer is used.
class Attempt {
 public:
  Attempt(Line& line, const PeerVerifier& peer, const std::function<UnixTime()>& clock,
          const ClientOptions& options)
      : line_(line), easy_(line.easy()), peer_(peer), clock_(clock), options_(options) {}
  ~Attempt();  // ends the transfer and takes its callbacks out of the handle
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  /// connect makes a handshake and ends with its session; the connection stays, as long as this
  /// object. Blocks.
  Result<std::shared_ptr<const AttestedSession>> connect(const Url& url, const Proxy& proxy);

  /// open sends the message and takes the head of the answer. The message must stay until the
  /// answer has ended. An answer that is a redirect to follow is taken as a whole. Blocks.
  Result<void> open(const Message& message, const Proxy& proxy);

  /// ask_session asks the server for fresh evidence, on a new connection that the line then keeps,
  /// and ends with its session. Errors: as open, evidence_not_fresh, and those of the verifier.
  Result<std::shared_ptr<const AttestedSession>> ask_session(const Url& url, const Proxy& proxy);

  /// connect_to_ask makes a handshake for a caller who then asks the server for question() and has
  /// the answer judged. Blocks.
  Result<void> connect_to_ask(const Url& url, const Proxy& proxy);
  const Message& question() const { return *question_; }
  /// judge gives the session that the answer proves. Errors: quote_unavailable for a server that is
  /// busy, evidence_not_fresh and those of the verifier.
  Result<std::shared_ptr<const AttestedSession>> judge(int status, BytesView answer);
  /// without_session gives the error again, for a question without an answer to judge.
  Error without_session(const Error& error);

  /// read gives the next bytes of the body, none at its end. Blocks: until there are some.
  Result<std::size_t> read(std::span<std::uint8_t> into);

  const AnswerHead& head() const noexcept { return head_; }
  /// session is that of the connection which the answer came on; never null after open.
  const std::shared_ptr<const AttestedSession>& session() const noexcept { return session_; }

  /// may_repeat says whether the failed attempt may be made again: a connection error, and no
  /// request whose effect could double.
  bool may_repeat(const Error& error) const;
  /// expired is true when it failed because a kept connection has outlived its verdict.
  bool expired() const noexcept { return expired_; }
  /// closed_by_server is true once the server has said, with a close_notify, that nothing follows.
  bool closed_by_server() const noexcept;
  /// verdict is that of the newest handshake; null when no certificate was judged.
  const std::shared_ptr<const Verdict>& verdict() const noexcept { return heard_->verdict; }

 private:
  // What the TLS contexts of kept connections may still point to when this object is gone.
  struct Heard {
    std::shared_ptr<const Verdict> verdict;
  };
  struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  enum class Phase { connecting, handshaking, exchanging };

  void set_callbacks(Options& set);
  void set_message(Options& set, const Message& message);
  Result<void> set_headers(Options& set, const Message& message);
  Result<void> start(const Options& set);
  void step();
  void end(CURLcode code);
  Result<void> check_end() const;
  Error failure(CURLcode code) const;
  Code code_of(CURLcode code) const noexcept;
  bool is_followed() const;
  bool is_delimited() const;
  ssl_st* current_tls() const noexcept;
  Result<std::shared_ptr<const AttestedSession>> current_session() const;
  Result<void> make_question(const Url& url);
  Result<void> shake_hands(const Url& url, const Proxy& proxy);
  Result<Bytes> read_evidence();
  Result<void> find_session();

  Result<void> on_context(void* context);
  Result<void> on_connected();
  Result<void> on_head_line(std::string_view line);
  Result<void> on_body(BytesView part);
  Result<void> on_progress(curl_off_t received, curl_off_t sent);
  template <class Step>
  bool guarded(Step step) noexcept;

  static CURLcode context_callback(CURL*, void* context, void* self);
  static int connected_callback(void* self, char*, char*, int, int);
  static std::size_t head_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* self);
  static int progress_callback(void* self, curl_off_t, curl_off_t received, curl_off_t,
                               curl_off_t sent);

  Line& line_;
  CURL* easy_;
  const PeerVerifier& peer_;
  const std::function<UnixTime()>& clock_;
  const ClientOptions& options_;
  const Message* message_ = nullptr;
  std::string place_;
  std::string proxy_;  // its URL; empty: none

  Phase phase_ = Phase::connecting;
  bool request_sent_ = false;
  bool expired_ = false;
  bool closed_by_server_ = false;  // with a close_notify
  bool paused_ = false;            // the reader is slower than the server
  bool ended_ = false;
  std::optional<Error> failure_;
  std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
  std::shared_ptr<const AttestedSession> session_;
  std::optional<SessionChallenge> challenge_;  // asked in place of a user's request
  std::optional<Message> question_;            // the challenge as a request
  std::unique_ptr<curl_slist, FreeList> header_list_;
  AnswerHead head_;
  std::string body_;  // what was not read yet, from taken_ on
  std::size_t taken_ = 0;
  std::size_t followed_ = 0;  // bytes of bodies that nobody wants
  curl_off_t moved_ = 0;
  std::chrono::steady_clock::time_point last_move_;
  std::chrono::steady_clock::time_point begun_;
  std::array<char, CURL_ERROR_SIZE> curl_text_{};
};

}  // namespace ratls::client
