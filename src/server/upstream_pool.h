// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "server/dialer.h"
#include "server/event_loop.h"
#include "server/tick.h"
#include "server/upstream.h"

namespace ratls::server {

/// UpstreamSocket is one connection to an app, without TLS, or to a server that was verified.
/// Thread-safety: only on its worker's thread.
class UpstreamSocket {
 public:
  /// A connection to an app may still be under way. The loop must live longer.
  UpstreamSocket(EventLoop& loop, Link link);

  using Outcome = Channel::Outcome;

  /// connected says whether the connection is made, to be waited for, or failed.
  Outcome connected();
  Outcome read(std::span<char> buffer, std::size_t& size);
  Outcome write(std::string_view data, std::size_t& size);
  /// is_usable is true when the app has neither sent nor closed anything, and a verdict holds.
  bool is_usable();

  /// wake_with says what to call when a wait is over, which may end the socket; nothing for none.
  void wake_with(std::function<void()> wake) { wake_ = std::move(wake); }
  void wait_read() { watch_.wait_read(); }
  void wait_write() { watch_.wait_write(); }

 private:
  void on_ready(Watch::Event event);
  bool is_verified_still() const;

  Link link_;
  Channel* const channel_;  // null: bytes go through the descriptor
  const int fd_;            // of either
  std::function<void()> wake_;
  bool may_be_readable_ = false;  // without a channel: since a read has last not filled its buffer
  Watch watch_;                   // ends before what it watches
};

/// UpstreamPool keeps connections that can carry another request, for a few seconds: shorter than
/// apps keep them, so that a request does not meet one that is being closed. Thread-safety: only on
/// its worker's thread.
class UpstreamPool {
 public:
  /// kMostIdle is how many are kept: more than an app will be asked for at once.
  static constexpr std::size_t kMostIdle = 256;

  /// take gives a connection to the upstream as it is now, or null.
  std::unique_ptr<UpstreamSocket> take(const Upstream& upstream);
  void keep(const Upstream& upstream, unsigned generation, std::unique_ptr<UpstreamSocket> socket,
            Tick now);
  /// drop_old ends those that have waited too long.
  void drop_old(Tick now);
  bool empty() const noexcept { return idle_.empty(); }
  void clear() { idle_.clear(); }

 private:
  struct Idle {
    const Upstream* upstream;
    unsigned generation;
    std::unique_ptr<UpstreamSocket> socket;
    Tick since;
  };
  std::vector<Idle> idle_;  // the last one was used last
};

}  // namespace ratls::server
