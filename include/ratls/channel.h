// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "ratls/result.h"
#include "ratls/tls.h"

namespace ratls {

/// Channel is one connection to a server that was verified in its handshake; what is read from it
/// and written to it is the caller's. It never waits. Thread-safety: one thread at a time.
class Channel {
 public:
  enum class Outcome {
    done,
    wait,   ///< until the descriptor is ready
    ended,  ///< by the server, with close_notify
    failed  ///< broken: what came before may be cut
  };

  virtual ~Channel() = default;

  /// session is the proof; never null. Caller must still: not use the channel beyond its expires().
  virtual const std::shared_ptr<const AttestedSession>& session() const = 0;
  /// descriptor is what to wait on; it stays the channel's.
  virtual int descriptor() const = 0;
  /// read gives at least one byte when it is done.
  virtual Outcome read(std::span<char> buffer, std::size_t& size) = 0;
  /// write takes a part of data or all of it. After wait, the same data has to come again, and may
  /// be longer then.
  virtual Outcome write(std::string_view data, std::size_t& size) = 0;
};

/// Dial opens a channel. Blocks.
using Dial = std::function<Result<std::unique_ptr<Channel>>()>;

}  // namespace ratls
