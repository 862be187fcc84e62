// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/options.h"
#include "client/url.h"

namespace ratls::client {

/// open_stapled gives a source that takes the collateral that the server's certificate brings, or,
/// when that brings none that can be used, asks the server for it, over a connection of its own:
/// GET
/// /.well-known/ratls/collateral without anything of the user's, with any certificate, without
/// redirects, at most 1 MiB in 5 seconds. What comes is checked against the root like any other
/// collateral, but the server chooses among all that Intel has signed. An answer to the question is
/// kept while it is in date. When the server cannot be asked, what the certificate brings decides.
/// Thread-safety: of the source, any thread. Blocks: find does, on the network. Errors: of find:
/// collateral_unavailable, collateral_malformed, collateral_superseded, internal.
std::unique_ptr<CollateralSource> open_stapled(Url origin, Proxy proxy, ClientOptions options,
                                               const TrustRoot& root);

}  // namespace ratls::client
