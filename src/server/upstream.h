// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/dialer.h"

// The apps behind the server: where they listen and how busy they are.
namespace ratls::server {

/// UpstreamAddress is where an app listens on this machine. Thread-safety: a value.
class UpstreamAddress {
 public:
  /// parse reads unix:PATH or http://127.0.0.1:PORT (any loopback address, or localhost). An app on
  /// another machine is refused: the bytes would travel in plain. Errors: usage.
  static Result<UpstreamAddress> parse(std::string_view text);
  /// unix_socket is the address of a path. Errors: usage, when it is longer than the 107 bytes that
  /// the system allows (unix(7)).
  static Result<UpstreamAddress> unix_socket(const std::string& path);

  bool is_unix() const noexcept { return storage_.ss_family == AF_UNIX; }
  /// text is as it was given.
  const std::string& text() const noexcept { return text_; }
  const sockaddr* data() const noexcept;
  socklen_t size() const noexcept { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
  std::string text_;
};

/// Upstream is one app process, or an attested server elsewhere. Thread-safety: any thread.
class Upstream {
 public:
  explicit Upstream(std::size_t number = 0) : number_(number) {}
  /// Connections to a server elsewhere are the dialer's work. Caller must still: keep it.
  explicit Upstream(std::size_t number, Dialer& dialer)
      : number_(number), elsewhere_(&dialer), up_(true) {}

  /// number counts them from 0.
  std::size_t number() const noexcept { return number_; }
  /// set_address says where it listens from now on; up() is true from then.
  void set_address(UpstreamAddress address);
  /// set_down takes it out of service until the next set_address.
  void set_down() noexcept { up_ = false; }
  bool up() const noexcept { return up_; }
  /// generation changes with the address: a connection of an earlier one leads to no app.
  unsigned generation() const noexcept { return generation_; }
  unsigned in_flight() const noexcept { return in_flight_; }

  /// start_dialing makes a thread for the connections to an app at a UNIX socket. Under gramine-sgx
  /// they wait until the app accepts. Not while anybody may dial: start_dialing comes before the
  /// workers' threads, stop_dialing after them, while their loops still live. Errors: internal.
  Result<void> start_dialing();
  /// stop_dialing waits for what is being made.
  void stop_dialing() { own_dialer_.reset(); }

  /// dialer makes the connections; null where connect() does.
  Dialer* dialer() const noexcept { return elsewhere_ != nullptr ? elsewhere_ : own_dialer_.get(); }
  /// connect begins a connection to an app without blocking; over TCP it may be under way. Errors:
  /// connection_failed when the app's queue is full; connection_closed when nobody listens, which
  /// another process of the app may.
  Result<Descriptor> connect() const;

 private:
  friend class UpstreamLoad;
  const std::size_t number_;
  Dialer* const elsewhere_ = nullptr;
  mutable std::mutex mutex_;
  std::optional<UpstreamAddress> address_;
  std::atomic<bool> up_{false};
  std::atomic<unsigned> generation_{0};
  std::atomic<unsigned> in_flight_{0};
  std::unique_ptr<Dialer> own_dialer_;  // ends first: it uses the others
};

/// UpstreamLoad counts one request at an upstream as long as it lives. Move-only.
class UpstreamLoad {
 public:
  explicit UpstreamLoad(Upstream& upstream) : upstream_(&upstream) { ++upstream.in_flight_; }
  UpstreamLoad(UpstreamLoad&& other) noexcept
      : upstream_(std::exchange(other.upstream_, nullptr)) {}
  UpstreamLoad& operator=(UpstreamLoad&&) = delete;
  ~UpstreamLoad() {
    if (upstream_ != nullptr) --upstream_->in_flight_;
  }

  Upstream& upstream() const noexcept { return *upstream_; }

 private:
  Upstream* upstream_;
};

/// Upstreams are all that requests are spread over. Thread-safety: any thread; add() before others.
class Upstreams {
 public:
  Upstream& add();
  void add(Dialer& dialer);
  /// start_dialing and stop_dialing are those of each Upstream. Errors: internal.
  Result<void> start_dialing();
  void stop_dialing();
  bool empty() const noexcept { return all_.empty(); }
  std::size_t size() const noexcept { return all_.size(); }
  Upstream& at(std::size_t index) const { return *all_.at(index); }
  bool any_up() const noexcept;

  /// choose takes the least loaded that is up, in turn among equals; the one to avoid only when
  /// there is no other. Nothing when none is up.
  std::optional<UpstreamLoad> choose(const Upstream* avoid = nullptr);

 private:
  std::vector<std::unique_ptr<Upstream>> all_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace ratls::server
