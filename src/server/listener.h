// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "base/descriptor.h"
#include "ratls/result.h"

namespace ratls::server {

/// resolve_listen_address takes an IP address, with or without brackets, or a name;
/// localhost is 127.0.0.1.
/// Blocks: on the resolver for a name. Errors: listen_failed.
Result<boost::asio::ip::tcp::endpoint> resolve_listen_address(const std::string& host,
                                                              std::uint16_t port);

/// open_listener listens without blocking; several may share one endpoint (SO_REUSEPORT), so that
/// each thread has its own. Errors: listen_failed.
Result<Descriptor> open_listener(const boost::asio::ip::tcp::endpoint& endpoint);

/// local_endpoint is where a listener is, with its real port.
boost::asio::ip::tcp::endpoint local_endpoint(const Descriptor& listener);

/// check_unused fails when another program listens at the endpoint: with SO_REUSEPORT a second
/// server of the same user would silently take half of the connections. Errors: listen_failed.
Result<void> check_unused(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace ratls::server
