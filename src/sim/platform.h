// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "ratls/collateral.h"
#include "ratls/quote.h"
#include "ratls/time.h"

namespace ratls::sim {

/// PlatformOptions is the identity that is asked for. What is absent is the platform's own choice,
/// or on an existing platform whatever it has.
struct PlatformOptions {
  std::optional<Tee> tee;                    ///< absent: sgx; tdx goes with none of the next four
  std::optional<MrEnclave> mr_enclave;       ///< absent: random
  std::optional<MrSigner> mr_signer;         ///< absent: random
  std::optional<std::uint16_t> isv_prod_id;  ///< absent: 1
  std::optional<std::uint16_t> isv_svn;      ///< absent: 1
  bool debug = false;                        ///< true asks for a debug enclave or TD
};

/// Platform is a software stand-in for an SGX or TDX machine with its own root, PCK chain, quoting
/// enclave and Intel-style collateral. What it makes goes through the same verifier as hardware's
/// and is accepted only by a policy that names its root. Thread-safety: const calls from any
/// thread.
class Platform {
 public:
  /// init makes DIR (mode 0700) with root.pem, collateral.json, policy.toml and the private
  /// state.json (mode 0600); on an existing platform keys, identity and policy stay and only
  /// collateral and CRLs are renewed (valid 30 days); options that ask for another identity are
  /// then refused, and so is a DIR with other files. An init that was broken off is completed by
  /// the next. Blocks: on files, and while another init works on DIR. Errors: usage,
  /// file_unwritable, platform_unavailable, internal.
  static Result<Platform> init(const std::filesystem::path& dir, const PlatformOptions& options,
                               UnixTime now);
  /// load reads a platform that init has made. Errors: platform_unavailable.
  static Result<Platform> load(const std::filesystem::path& dir);

  /// quote makes an SGX quote of version 3 or a TDX quote of version 4, with the PCK chain in it
  /// (certification data type 5). Errors: internal.
  Result<Bytes> quote(const ReportData& report_data) const;

  /// collateral is what init would write at that time. Errors: internal.
  Result<Collateral> collateral(UnixTime now) const;

  /// root is what signs it all. Errors: internal.
  Result<TrustRoot> root() const;

  /// enclave is null on a TDX platform, td on an SGX platform.
  const EnclaveReport* enclave() const noexcept;
  const TdReport* td() const noexcept;

 private:
  struct State;
  explicit Platform(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// default_dir is $XDG_DATA_HOME/ratls/sim, or ~/.local/share/ratls/sim. A relative XDG_DATA_HOME
/// is ignored, as the XDG Base Directory Specification demands.
std::filesystem::path default_dir();

}  // namespace ratls::sim
