// SPDX-License-Identifier: Apache-2.0
#include "server/socket_places.h"

#include <boost/asio/ip/tcp.hpp>
#include <vector>

namespace ratls::server {

using boost::asio::ip::tcp;

void SocketPlaces::take(boost::asio::io_context& context) {
  if (++taken_ <= made_) return;
  std::vector<tcp::socket> together;
  for (std::size_t count = 0; count < kTogether; ++count) {
    boost::system::error_code failed;
    together.emplace_back(context).open(tcp::v4(), failed);
    if (failed) break;  // this one and those that follow are made one by one
  }
  made_ += kTogether;
}

}  // namespace ratls::server
