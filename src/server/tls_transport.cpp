// SPDX-License-Identifier: Apache-2.0
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

#include "server/transport.h"
#include "tls/session_binding.h"

namespace ratls::server {
namespace {

// A record takes one or two reads; more of them without plaintext are a client's way to keep us
// busy.
constexpr int kReadsPerCall = 4;

/// Wire is the socket as OpenSSL sees it (BIO_meth_new(3)), with a limit of reads. OpenSSL's own
/// for sockets could have one by a callback only, which is called around each operation.
struct Wire {
  int socket = -1;
  int reads_left = 0;
  bool has_ended = false;
};

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

bool is_passing(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// OpenSSL goes through KeyUpdates (RFC 8446 4.6.3) and alerts as long as there are any, and returns
// only with plaintext or when the socket is empty: a client that sends nothing else would keep the
// thread. So the socket seems empty after some reads.
int read_wire(BIO* bio, char* buffer, int size) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  const bool may_read = wire.reads_left-- > 0;
  const ssize_t got =
      may_read ? ::recv(wire.socket, buffer, static_cast<std::size_t>(size), 0) : -1;
  if (got < 0 && (!may_read || is_passing(errno))) BIO_set_retry_read(bio);
  if (got == 0) wire.has_ended = true;
  return static_cast<int>(got);
}

int write_wire(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t put =
      ::send(wire_of(bio).socket, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (put < 0 && is_passing(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(put);
}

long control_wire(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return wire_of(bio).has_ended ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;  // nothing is held back
}

const BIO_METHOD* wire_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == nullptr) return made;
    BIO_meth_set_read(made, read_wire);
    BIO_meth_set_write(made, write_wire);
    BIO_meth_set_ctrl(made, control_wire);
    return made;
  }();
  return method;
}

class TlsTransport final : public Transport {
 public:
  explicit TlsTransport(const ServerTls& tls) : ssl_(tls.new_connection()) {}

  bool start(int socket) override {
    wire_.socket = socket;
    BIO* bio = wire_method() == nullptr ? nullptr : BIO_new(wire_method());
    if (bio == nullptr) return false;
    BIO_set_data(bio, &wire_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
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
    // Clearing goes through all places of the queue, which is empty nearly always.
    if (ERR_peek_error() != 0) ERR_clear_error();
    wire_.reads_left = kReadsPerCall;
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

  Wire wire_;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace

std::unique_ptr<Transport> tls_transport(const ServerTls& tls) {
  return std::make_unique<TlsTransport>(tls);
}

}  // namespace ratls::server
