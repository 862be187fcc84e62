// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ratls/channel.h"
#include "server/socket_places.h"
#include "server/tick.h"
#include "server/upstream.h"

namespace ratls::server {

/// UpstreamSocket is one connection to an app, without TLS, or to a server that was verified.
/// Thread-safety: only on its worker's thread.
class UpstreamSocket : public std::enable_shared_from_this<UpstreamSocket> {
 public:
  /// Owner closes the socket, which ends its waits too. Move-only.
  struct Close {
    void operator()(UpstreamSocket* socket) const { socket->close(); }
  };
  using Owner = std::unique_ptr<UpstreamSocket, Close>;

  /// open takes the descriptor of a connection that is under way or made; null when it cannot.
  static Owner open(boost::asio::io_context& context, SocketPlaces& places, Descriptor fd);
  /// open takes a channel; null when there is no descriptor left.
  static Owner open(boost::asio::io_context& context, SocketPlaces& places,
                    std::unique_ptr<Channel> channel);

  using Outcome = Channel::Outcome;

  /// connected says whether the connection is made, to be waited for, or failed.
  Outcome connected();
  Outcome read(std::span<char> buffer, std::size_t& size);
  Outcome write(std::string_view data, std::size_t& size);
  /// is_usable is true when the app has neither sent nor closed anything, and a verdict holds.
  bool is_usable();

  /// wake_with says what to call when a wait is over; nothing for none.
  void wake_with(std::function<void()> wake) { wake_ = std::move(wake); }
  void wait_read() { wait(boost::asio::socket_base::wait_read, read_armed_); }
  void wait_write() { wait(boost::asio::socket_base::wait_write, write_armed_); }

 private:
  UpstreamSocket(boost::asio::io_context& context, SocketPlaces& places)
      : places_(places), socket_(context) {}
  void wait(boost::asio::socket_base::wait_type event, bool& armed);
  void close();
  bool is_verified_still() const;

  SocketPlaces& places_;
  std::shared_ptr<UpstreamSocket> self_;  // until it is closed; waits hold it beyond
  boost::asio::generic::stream_protocol::socket socket_;
  std::unique_ptr<Channel> channel_;  // null: bytes go through the socket
  std::function<void()> wake_;
  bool read_armed_ = false;
  bool write_armed_ = false;
};

/// UpstreamPool keeps connections that can carry another request, for a few seconds: shorter than
/// apps keep them, so that a request does not meet one that is being closed. Thread-safety: only on
/// its worker's thread.
class UpstreamPool {
 public:
  /// kMostIdle is how many are kept: more than an app will be asked for at once.
  static constexpr std::size_t kMostIdle = 256;

  /// take gives a connection to the upstream as it is now, or null.
  UpstreamSocket::Owner take(const Upstream& upstream);
  void keep(const Upstream& upstream, unsigned generation, UpstreamSocket::Owner socket, Tick now);
  /// drop_old ends those that have waited too long.
  void drop_old(Tick now);
  bool empty() const noexcept { return idle_.empty(); }
  void clear() { idle_.clear(); }

 private:
  struct Idle {
    const Upstream* upstream;
    unsigned generation;
    UpstreamSocket::Owner socket;
    Tick since;
  };
  std::vector<Idle> idle_;  // the last one was used last
};

}  // namespace ratls::server
