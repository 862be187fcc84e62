// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// A TCP server of few lines that misbehaves as a test wants: each connection is one call of a
// function on a thread of its own.
namespace ratls::testing {

/// RawPeer is a connection as the server sees it.
class RawPeer {
 public:
  RawPeer(int fd, std::atomic<std::size_t>& data_read) : fd_(fd), data_read_(data_read) {}
  ~RawPeer() {
    SSL_free(ssl_);
    ::close(fd_);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  int fd() const { return fd_; }
  SSL* ssl() const { return ssl_; }

  bool accept_tls(SSL_CTX* context) {
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    return SSL_accept(ssl_) == 1;
  }

  /// read gives what comes next, over TLS once it is there; empty at the end.
  std::string read() {
    std::string out(16384, '\0');
    const long count = ssl_ != nullptr ? SSL_read(ssl_, out.data(), static_cast<int>(out.size()))
                                       : ::recv(fd_, out.data(), out.size(), 0);
    out.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (ssl_ != nullptr) data_read_ += out.size();
    return out;
  }

  /// read_request gives head and body of one request; empty at the end.
  std::string read_request() {
    std::string request;
    std::size_t head = std::string::npos;
    while ((head = request.find("\r\n\r\n")) == std::string::npos) {
      const std::string part = read();
      if (part.empty()) return "";
      request += part;
    }
    const std::size_t length = request.find("Content-Length: ");
    const std::size_t body = length < head ? std::stoul(request.substr(length + 16)) : 0;
    while (request.size() < head + 4 + body) {
      const std::string part = read();
      if (part.empty()) return "";
      request += part;
    }
    return request;
  }

  bool write(std::string_view text) {
    while (!text.empty()) {
      const long count = ssl_ != nullptr
                             ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                             : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  void close_notify() { SSL_shutdown(ssl_); }

 private:
  int fd_;
  SSL* ssl_ = nullptr;
  std::atomic<std::size_t>& data_read_;
};

/// RawServer listens on a free port of 127.0.0.1 until it is destroyed.
class RawServer {
 public:
  using Serve = std::function<void(RawPeer&)>;

  explicit RawServer(Serve serve)
      : serve_(std::move(serve)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (fd_ < 0 || ::bind(fd_, generic, size) != 0 || ::listen(fd_, 16) != 0 ||
        ::getsockname(fd_, generic, &size) != 0) {
      throw std::runtime_error("the test server cannot listen");
    }
    port_ = ntohs(address.sin_port);
    listener_ = std::thread([this] { accept_all(); });
  }
  ~RawServer() {
    stopping_ = true;
    ::shutdown(fd_, SHUT_RDWR);
    listener_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(fd_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(port_);
  }
  /// connections is how many TCP connections were accepted.
  int connections() const { return connections_; }
  /// data_read is how many bytes of application data came through TLS, from all.
  std::size_t data_read() const { return data_read_; }

 private:
  void accept_all() {
    block_pipe_signal();
    for (;;) {
      const int fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0 || stopping_) {
        if (fd >= 0) ::close(fd);
        return;
      }
      ++connections_;
      {
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
      }
      threads_.emplace_back([this, fd] { serve_one(fd); });
    }
  }

  void serve_one(int fd) {
    block_pipe_signal();
    RawPeer peer(fd, data_read_);
    serve_(peer);
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
  }

  // Per thread, so that the client under test gets no protection from it.
  static void block_pipe_signal() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  }

  Serve serve_;
  int fd_;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<std::size_t> data_read_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread listener_;
};

/// answer_all serves TLS and answers every request with what a function makes of it.
inline RawServer::Serve answer_all(SSL_CTX* context,
                                   std::function<std::string(const std::string&)> answer) {
  return [context, answer = std::move(answer)](RawPeer& peer) {
    if (!peer.accept_tls(context)) return;
    for (;;) {
      const std::string request = peer.read_request();
      if (request.empty() || !peer.write(answer(request))) return;
    }
  };
}

/// ok_answer is a complete answer with this body.
inline std::string ok_answer(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
         "\r\n" + body;
}

}  // namespace ratls::testing
