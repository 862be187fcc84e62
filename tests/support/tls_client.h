// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>

namespace ratls::testing {

/// Answer is one HTTP answer as it was read.
struct Answer {
  int status = 0;  ///< 0: there was none
  std::string head;
  std::string body;

  std::string header(std::string_view name) const {
    std::string lower = head;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto at = lower.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

/// connect_to gives a blocking socket to a port of this machine that gives up after 20 seconds.
inline int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{20, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

struct TlsClientOptions {
  int highest_version = 0;  ///< 0: all
  const char* groups = nullptr;
  std::string_view alpn = {};  ///< with length bytes
  int receive_buffer = 0;
  int socket = -1;  ///< one that is connected already
  SSL_CTX_keylog_cb_func keylog = nullptr;
};

/// TlsClient is OpenSSL as a client that verifies nothing; for talking to our own server.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, TlsClientOptions options = {})
      : fd_(options.socket < 0 ? connect_to(port) : options.socket) {
    std::signal(SIGPIPE, SIG_IGN);
    if (fd_ < 0) return;
    if (options.receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof(int));
    }
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_max_proto_version(context_.get(), options.highest_version);
    SSL_CTX_set_keylog_callback(context_.get(), options.keylog);
    ssl_.reset(SSL_new(context_.get()));
    if (options.groups != nullptr) SSL_set1_groups_list(ssl_.get(), options.groups);
    if (!options.alpn.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                          static_cast<unsigned>(options.alpn.size()));
    }
    SSL_set_fd(ssl_.get(), fd_);
    connected_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }
  ~TlsClient() {
    ssl_.reset();
    if (fd_ >= 0) ::close(fd_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  SSL* ssl() const { return ssl_.get(); }
  int fd() const { return fd_; }

  bool send(std::string_view text) {
    while (!text.empty()) {
      const int size = SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
      if (size <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }

  /// end_sending sends close_notify and FIN.
  void end_sending() {
    SSL_shutdown(ssl_.get());
    ::shutdown(fd_, SHUT_WR);
  }

  enum class Body { by_length, none };
  /// read_answer reads one answer, with the body that Content-Length states.
  Answer read_answer(Body kind = Body::by_length) {
    Answer answer;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!read_more()) return {};
    }
    const auto end = buffer_.find("\r\n\r\n") + 4;
    answer.head = buffer_.substr(0, end);
    buffer_.erase(0, end);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const std::string length = answer.header("content-length");
    const std::size_t size = kind == Body::none || length.empty() ? 0 : std::stoul(length);
    while (buffer_.size() < size) {
      if (!read_more()) return {};
    }
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
  }
  Answer ask(std::string_view request) {
    send(request);
    return read_answer();
  }

  /// is_ended is true when the server sends nothing more and has said so (close_notify).
  bool is_ended() {
    while (read_more()) {
    }
    return buffer_.empty() && (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

 private:
  bool read_more() {
    std::string part(16 * 1024, '\0');
    const int size = SSL_read(ssl_.get(), part.data(), static_cast<int>(part.size()));
    if (size <= 0) {
      ERR_clear_error();
      return false;
    }
    buffer_.append(part, 0, static_cast<std::size_t>(size));
    return true;
  }

  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  int fd_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string buffer_;
  bool connected_ = false;
};

}  // namespace ratls::testing
