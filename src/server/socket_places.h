// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>

namespace ratls::server {

/// SocketPlaces counts the sockets of one event loop, and has Asio make what it keeps for each by
/// the block. Asio keeps that for good: made one by one, each would lie between what a connection
/// has, and hold a page of it when the connection is gone. Thread-safety: none.
class SocketPlaces {
 public:
  /// kTogether sockets more are open for a moment when a block is made.
  static constexpr std::size_t kTogether = 32;

  /// take is for a socket that Asio is about to get, give_back for one that it had.
  void take(boost::asio::io_context& context);
  void give_back() noexcept { --taken_; }

 private:
  std::size_t taken_ = 0;
  std::size_t made_ = 0;
};

}  // namespace ratls::server
