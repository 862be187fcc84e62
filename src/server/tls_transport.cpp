// SPDX-License-Identifier: Apache-2.0
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/transport.h"
#include "tls/session_binding.h"

namespace ratls::server {
namespace {

// A record takes two reads; more of them without plaintext are a client's way to keep us busy.
constexpr int kReadsPerCall = 4;

// OpenSSL goes through KeyUpdates (RFC 8446 4.6.3) and alerts as long as there are any, and returns
// only with plaintext or when the socket is empty: a client that sends nothing else would keep the
// thread. So the socket seems empty after some reads.
long count_read(BIO* bio, int operation, const char*, std::size_t, int, long, int result,
                std::size_t*) {
  if (operation != BIO_CB_READ) return result;
  int& left = *static_cast<int*>(static_cast<void*>(BIO_get_callback_arg(bio)));
  if (left-- > 0) return result;
  BIO_clear_retry_flags(bio);
  BIO_set_retry_read(bio);
  return -1;
}

class TlsTransport final : public Transport {
 public:
  explicit TlsTransport(const ServerTls& tls) : ssl_(tls.new_connection()) {}

  bool start(int socket) override {
    if (SSL_set_fd(ssl_.get(), socket) != 1) return false;
    BIO* bio = SSL_get_rbio(ssl_.get());
    BIO_set_callback_arg(bio, static_cast<char*>(static_cast<void*>(&reads_left_)));
    BIO_set_callback_ex(bio, count_read);
    return true;
  }

  Outcome handshake() override {
    begin();
    return outcome_of(SSL_do_handshake(ssl_.get()));
  }

  HandshakeFailure handshake_failure() const override {
    const unsigned long error = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(error);
    const bool left =
        error == 0 || ERR_SYSTEM_ERROR(error) || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    if (left) return HandshakeFailure::closed;
    // The reason for an alert of the client's is its number (RFC 8446 6) behind this one.
    const bool is_alert = ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET;
    return is_alert ? HandshakeFailure::alert : HandshakeFailure::protocol;
  }

  std::optional<SessionBinding> session(const SessionNonce& nonce) override {
    return tls::bind_session(ssl_.get(), nonce);
  }

  Outcome read(std::span<char> buffer, std::size_t& size) override {
    begin();
    return outcome_of(SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size));
  }

  Outcome write(std::string_view data, std::size_t& size) override {
    begin();
    return outcome_of(SSL_write_ex(ssl_.get(), data.data(), data.size(), &size));
  }

  bool has_pending() const override { return SSL_has_pending(ssl_.get()) == 1; }

  void end() override {
    begin();
    // One alert; the client's own is not waited for.
    SSL_shutdown(ssl_.get());
  }

 private:
  struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  void begin() {
    ERR_clear_error();
    reads_left_ = kReadsPerCall;
  }

  Outcome outcome_of(int result) const {
    if (result == 1) return Outcome::done;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return Outcome::wait_read;
      case SSL_ERROR_WANT_WRITE:
        return Outcome::wait_write;
      case SSL_ERROR_ZERO_RETURN:
        return Outcome::ended;
      default:
        // After a fatal error nothing may be sent (SSL_get_error(3)).
        return Outcome::failed;
    }
  }

  std::unique_ptr<SSL, Free> ssl_;
  int reads_left_ = 0;
};

}  // namespace

std::unique_ptr<Transport> tls_transport(const ServerTls& tls) {
  return std::make_unique<TlsTransport>(tls);
}

}  // namespace ratls::server
