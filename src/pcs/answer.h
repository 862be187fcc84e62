// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "pcs/shelf.h"
#include "ratls/server.h"

namespace ratls::pcs {

/// kPaths is what a service answers: Intel's PCS API v4, without what takes Intel's subscription or
/// signature (pckcert, tcbevaluationdatanumbers), and where a PCCS has the CRL of the root.
inline constexpr std::array<std::string_view, 8> kPaths{
    "/sgx/certification/v4/tcb",         "/tdx/certification/v4/tcb",
    "/sgx/certification/v4/qe/identity", "/tdx/certification/v4/qe/identity",
    "/sgx/certification/v4/pckcrl",      "/sgx/certification/v4/rootcacrl",
    "/sgx/certification/v4/fmspcs",      "/IntelSGXRootCA.der"};

/// answer gives what the shelf has for a GET request of one of kPaths: of several documents the one
/// with the highest evaluation number, of CRLs the newest. 400 for a query that the API does not
/// have, 404 for what is not there, 410 for an evaluation number lower than all that are there.
Response answer(const Shelf& shelf, const Request& request);

}  // namespace ratls::pcs
