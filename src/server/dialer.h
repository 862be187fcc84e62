// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "base/descriptor.h"
#include "ratls/channel.h"
#include "server/event_loop.h"
#include "server/thread.h"

namespace ratls::server {

/// Link is a connection that is made: to an app, or to a server that was verified.
using Link = std::variant<Descriptor, std::unique_ptr<Channel>>;

/// Dialing is one connection that is wanted. Who wants it no longer lets go of it.
/// Thread-safety: any thread.
class Dialing {
 public:
  using Outcome = Result<Link>;

  /// take gives the outcome, once, when there is one.
  std::optional<Outcome> take();

 private:
  friend class Dialer;
  Dialing(EventLoop& loop, std::function<void()> wake) : loop_(loop), wake_(std::move(wake)) {}
  void finish(Outcome outcome);

  EventLoop& loop_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::optional<Outcome> outcome_;
};

/// Dialer makes connections to one place on threads of its own, because that blocks: names,
/// handshakes and collateral of a server, an app that does not accept. One that is made for
/// somebody who has gone goes to who waits longest. Thread-safety: any thread.
class Dialer {
 public:
  using Connect = std::function<Result<Link>()>;

  /// kMostWaiting is how many may wait for their turn.
  static constexpr std::size_t kMostWaiting = 1024;

  /// start makes the threads: so many connections are made at a time. Errors: internal.
  static Result<std::unique_ptr<Dialer>> start(Connect connect, unsigned threads);
  ~Dialer();  // waits for what is being made

  /// begin makes a connection, unless nobody holds the dialing by the time of its turn. wake is
  /// called on the loop's thread when there is an outcome. Null when too many wait already. Caller
  /// must still: let the loop live longer than the dialer.
  std::shared_ptr<Dialing> begin(EventLoop& loop, std::function<void()> wake);

 private:
  explicit Dialer(Connect connect) : connect_(std::move(connect)) {}
  void run();
  void make(const std::weak_ptr<Dialing>& wanted);
  std::shared_ptr<Dialing> take_longest_waiting();

  const Connect connect_;
  std::mutex mutex_;  // for the members below
  std::condition_variable changed_;
  std::deque<std::weak_ptr<Dialing>> waiting_;  // for their turn
  bool stopping_ = false;

  std::vector<Thread> threads_;
};

}  // namespace ratls::server
