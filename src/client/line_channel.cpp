// SPDX-License-Identifier: Apache-2.0
#include "client/line_channel.h"

#include "base/sigpipe.h"

namespace ratls::client {

Result<void> LineChannel::connect(const Url& url, const Proxy& proxy) {
  RATLS_TRY(session_, attempt_.connect(url, proxy));
  curl_socket_t socket = CURL_SOCKET_BAD;
  const CURLcode code = curl_easy_getinfo(line_->easy(), CURLINFO_ACTIVESOCKET, &socket);
  if (code != CURLE_OK || socket == CURL_SOCKET_BAD) {
    return Error(Code::connection_closed, url.origin, "the server closed the connection at once");
  }
  descriptor_ = socket;
  return {};
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
