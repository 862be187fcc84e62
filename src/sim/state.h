// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/world.h"

namespace ratls::sim {

/// PlatformState is what a simulated platform keeps between runs: all else is made from it.
/// Thread-safety: a value.
struct PlatformState {
  WorldKeys keys;
  Bytes root;  ///< certificates, DER
  Bytes pck_ca;
  Bytes pck;
  Bytes tcb_signing;
  x509::PckExtension machine;  ///< as pck says
  EnclaveReport enclave;
  std::optional<TdReport> td;    ///< of a TDX platform, in place of the enclave
  std::uint64_t crl_number = 0;  ///< of the newest CRLs, or higher
};

/// make_state makes keys and certificates of a new platform. Caller must still: say which enclave
/// or TD runs there. Errors: internal.
Result<PlatformState> make_state(const x509::PckExtension& machine, UnixTime now);

/// format_state writes JSON with the private keys in it: the caller wipes it. Errors: internal.
Result<Bytes> format_state(const PlatformState& state);
/// parse_state reads it back. Errors: platform_unavailable.
Result<PlatformState> parse_state(BytesView json);

/// state_collateral makes collateral that is valid from now. Errors: internal.
Result<Collateral> state_collateral(const PlatformState& state, UnixTime now);
/// state_quote is what Platform::quote signs, without report data. Errors: internal.
Result<QuoteSpec> state_quote(const PlatformState& state);

}  // namespace ratls::sim
