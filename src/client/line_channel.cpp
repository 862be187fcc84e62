// SPDX-License-Identifier: Apache-2.0
#include "client/line_channel.h"

#include <poll.h>

#include <algorithm>
#include <charconv>

#include "base/reader.h"
#include "base/sigpipe.h"

namespace ratls::client {
namespace {

constexpr std::size_t kMostRead = 64 * 1024;

/// length_in is what the head of an answer says of its body; nothing when that is no number.
std::optional<std::size_t> length_in(const AnswerHead& head) {
  const std::string_view text = find_header(head.headers(), "content-length");
  std::size_t length = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return length;
}

}  // namespace

Result<void> LineChannel::connect(const Url& url, const Proxy& proxy) {
  place_ = url.origin;
  if (!peer_.verifier().policy().session.fresh) {
    RATLS_TRY(session_, attempt_.connect(url, proxy));
    return take_descriptor();
  }
  RATLS_CHECK(attempt_.connect_to_ask(url, proxy));
  RATLS_CHECK(take_descriptor());
  const auto answer = ask(url);
  if (!answer) return attempt_.without_session(answer.error());
  RATLS_TRY(session_, attempt_.judge(answer->status, as_bytes(answer->body)));
  return {};
}

Result<void> LineChannel::take_descriptor() {
  curl_socket_t socket = CURL_SOCKET_BAD;
  const CURLcode code = curl_easy_getinfo(line_->easy(), CURLINFO_ACTIVESOCKET, &socket);
  if (code != CURLE_OK || socket == CURL_SOCKET_BAD) {
    return Error(Code::connection_closed, place_, "the server closed the connection at once");
  }
  descriptor_ = socket;
  return {};
}

/// ask sends the question and reads the answer, of which nothing may be left for the caller.
Result<LineChannel::Evidence> LineChannel::ask(const Url& url) {
  const Time end = std::chrono::steady_clock::now() + evidence_timeout(options_);
  const Url& asked = attempt_.question().url;
  RATLS_CHECK(send_all("GET " + asked.path + asked.query + " HTTP/1.1\r\nHost: " +
                           url.origin.substr(std::string_view("https://").size()) + "\r\n\r\n",
                       end));
  AnswerHead head;
  std::string arrived;
  while (!head.complete()) {
    const std::size_t line = arrived.find('\n') + 1;
    if (line == 0 && arrived.size() > kMostRead) {
      return Error(Code::answer_too_large, place_, "a line of more than 64 KiB");
    }
    if (line == 0) {
      RATLS_CHECK(read_more(arrived, end));
      continue;
    }
    RATLS_CHECK(head.add(std::string_view(arrived).substr(0, line)));
    arrived.erase(0, line);
  }
  // Only these may have a body that matters.
  if (head.status() != 200) return Evidence{head.status(), ""};
  const auto length = length_in(head);
  if (!length) {
    return Error(Code::connection_closed, place_, "the answer with the evidence has no length");
  }
  while (arrived.size() < std::min(*length, kMostRead + 1)) RATLS_CHECK(read_more(arrived, end));
  if (*length <= kMostRead && arrived.size() > *length) {
    return Error(Code::connection_closed, place_, "the server says more than was asked for");
  }
  return Evidence{head.status(), std::move(arrived)};
}

Result<void> LineChannel::send_all(std::string_view text, Time end) {
  while (!text.empty()) {
    std::size_t size = 0;
    const Outcome outcome = write(text, size);
    if (outcome == Outcome::done) {
      text.remove_prefix(size);
    } else if (outcome == Outcome::wait) {
      RATLS_CHECK(wait(POLLOUT, end));
    } else {
      return Error(Code::connection_closed, place_, "the server takes no question");
    }
  }
  return {};
}

Result<void> LineChannel::read_more(std::string& arrived, Time end) {
  std::array<char, 16384> buffer;
  for (;;) {
    std::size_t size = 0;
    const Outcome outcome = read(buffer, size);
    if (outcome == Outcome::done) {
      arrived.append(buffer.data(), size);
      return {};
    }
    if (outcome != Outcome::wait) {
      return Error(Code::connection_closed, place_, "the answer with the evidence is not whole");
    }
    RATLS_CHECK(wait(POLLIN, end));
  }
}

Result<void> LineChannel::wait(short events, Time end) const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  pollfd state{descriptor_, events, 0};
  if (left.count() > 0 && ::poll(&state, 1, static_cast<int>(left.count())) != 0) return {};
  return Error(Code::timeout, place_, "no evidence for the session in time");
}

Channel::Outcome LineChannel::read(std::span<char> buffer, std::size_t& size) {
  const SigpipeSilence silence;  // an answer to a KeyUpdate is a write
  switch (curl_easy_recv(line_->easy(), buffer.data(), buffer.size(), &size)) {
    case CURLE_OK:
      if (size > 0) return Outcome::done;
      // libcurl takes any end of the connection for one of the server's.
      return attempt_.closed_by_server() ? Outcome::ended : Outcome::failed;
    case CURLE_AGAIN:
      return Outcome::wait;
    default:
      return Outcome::failed;
  }
}

Channel::Outcome LineChannel::write(std::string_view data, std::size_t& size) {
  const SigpipeSilence silence;
  switch (curl_easy_send(line_->easy(), data.data(), data.size(), &size)) {
    case CURLE_OK:
      return Outcome::done;
    case CURLE_AGAIN:
      return Outcome::wait;
    default:
      return Outcome::failed;
  }
}

}  // namespace ratls::client
