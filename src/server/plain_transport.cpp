// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>

#include <cerrno>

#include "server/transport.h"

namespace ratls::server {
namespace {

class PlainTransport final : public Transport {
 public:
  bool start(int socket) override {
    socket_ = socket;
    return true;
  }
  Outcome handshake() override { return Outcome::done; }
  HandshakeFailure handshake_failure() const override { return HandshakeFailure::closed; }

  std::optional<SessionBinding> session(const SessionNonce&) override { return std::nullopt; }

  Outcome read(std::span<char> buffer, std::size_t& size) override {
    ssize_t got;
    do {
      got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got == 0) return Outcome::ended;
    return outcome_of(got, size, Outcome::wait_read);
  }

  Outcome write(std::string_view data, std::size_t& size) override {
    ssize_t sent;
    do {
      sent = ::send(socket_, data.data(), data.size(), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return outcome_of(sent, size, Outcome::wait_write);
  }

  bool has_pending() const override { return false; }
  void end() override { ::shutdown(socket_, SHUT_WR); }

 private:
  static Outcome outcome_of(ssize_t result, std::size_t& size, Outcome when_not_ready) {
    if (result >= 0) {
      size = static_cast<std::size_t>(result);
      return Outcome::done;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? when_not_ready : Outcome::failed;
  }

  int socket_ = -1;
};

}  // namespace

std::unique_ptr<Transport> plain_transport() { return std::make_unique<PlainTransport>(); }

}  // namespace ratls::server
