// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/attempt.h"
#include "ratls/channel.h"

namespace ratls::client {

/// LineChannel is a connection that libcurl has made and we have verified, without its HTTP.
class LineChannel final : public Channel {
 public:
  LineChannel(std::unique_ptr<Line> line, PeerVerifier peer, std::function<UnixTime()> clock,
              ClientOptions options)
      : peer_(std::move(peer)),
        clock_(std::move(clock)),
        options_(std::move(options)),
        line_(std::move(line)),
        attempt_(*line_, peer_, clock_, options_) {}

  /// connect makes the handshake and, where the policy demands it, asks for evidence of the
  /// session; the rest is only for after that. Blocks.
  Result<void> connect(const Url& url, const Proxy& proxy);
  /// verdict is that of the handshake; null when no certificate was judged.
  const std::shared_ptr<const Verdict>& verdict() const noexcept { return attempt_.verdict(); }

  /// may_repeat is that of the attempt, when connect has failed.
  bool may_repeat(const Error& error) const { return attempt_.may_repeat(error); }

  const std::shared_ptr<const AttestedSession>& session() const override { return session_; }
  int descriptor() const override { return descriptor_; }
  Outcome read(std::span<char> buffer, std::size_t& size) override;
  Outcome write(std::string_view data, std::size_t& size) override;

 private:
  using Time = std::chrono::steady_clock::time_point;
  Result<void> take_descriptor();
  struct Evidence {
    int status;
    std::string body;
  };
  Result<Evidence> ask(const Url& url);
  Result<void> send_all(std::string_view text, Time end);
  Result<void> read_more(std::string& arrived, Time end);
  Result<void> wait(short events, Time end) const;

  const PeerVerifier peer_;
  const std::function<UnixTime()> clock_;
  const ClientOptions options_;
  std::unique_ptr<Line> line_;
  Attempt attempt_;  // holds libcurl's options: without them the connection is of no use
  std::shared_ptr<const AttestedSession> session_;
  int descriptor_ = -1;
  std::string place_;
};

}  // namespace ratls::client
