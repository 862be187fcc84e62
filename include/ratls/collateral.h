// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "ratls/bytes.h"
#include "ratls/step.h"
#include "ratls/time.h"

namespace ratls {

/// Collateral is what Intel publishes about a platform, as the field exchanges it (the JSON object
/// QuoteCollateralV3): nothing in it is verified. Chains are PEM; CRLs and signatures are the
/// decoded bytes; tcb_info and qe_identity are the exact texts that the signatures cover.
struct Collateral {
  std::string pck_crl_issuer_chain;
  Bytes root_ca_crl;  ///< DER or PEM
  Bytes pck_crl;      ///< DER or PEM
  std::string tcb_info_issuer_chain;
  std::string tcb_info;
  Bytes tcb_info_signature;
  std::string qe_identity_issuer_chain;
  std::string qe_identity;
  Bytes qe_identity_signature;
  std::optional<std::string> pck_certificate_chain;  ///< for certification data types 1 to 3
};

inline constexpr std::size_t kMaxCollateralSize = 8 * 1024 * 1024;

/// parse_collateral reads the JSON object: every member but pck_certificate_chain is needed, no
/// member twice, unknown members are ignored. Errors: collateral_malformed.
Result<Collateral> parse_collateral(std::string_view json);

/// format_collateral writes the JSON object, CRLs and signatures in lower-case hex.
std::string format_collateral(const Collateral& collateral);

/// parse_endorsements reads the value of the certificate extension tcg-dice-endorsement-manifest
/// (2.23.133.5.4.2) as the CCC's "Interoperable RA-TLS" defines it for SGX and TDX: CBOR tag 60000
/// over version, TCB info, its chain, PCK CRL, root CA's CRL, the PCK CRL's chain, QE identity, its
/// chain and, optionally, a time; the two documents as Intel's service hands them out.
/// pck_certificate_chain stays empty. Errors: collateral_malformed.
Result<Collateral> parse_endorsements(BytesView value);

/// format_endorsements writes that value, without a time and without pck_certificate_chain. CRLs
/// are written as they are.
Bytes format_endorsements(const Collateral& collateral);

/// TrustRoot is the one certificate that every chain must end in, compared byte for byte.
/// Thread-safety: immutable.
class TrustRoot {
 public:
  /// intel is Intel's SGX Root CA (production, valid to 2049).
  static const TrustRoot& intel();
  /// from_pem takes one self-signed P-256 CA certificate; the same bytes as Intel's give intel().
  /// Errors: policy_invalid.
  static Result<TrustRoot> from_pem(BytesView pem);

  BytesView certificate_der() const noexcept;
  bool is_intel() const noexcept { return is_intel_; }

  struct Impl;  // the parsed certificate and key, for src/collateral and src/verifier
  const Impl& impl() const noexcept { return *impl_; }

 private:
  TrustRoot() = default;
  std::shared_ptr<const Impl> impl_;
  bool is_intel_ = false;
};

/// CollateralRequest names the platform whose collateral is needed.
struct CollateralRequest {
  std::string tee;     ///< "sgx" or "tdx"
  std::string fmspc;   ///< 12 lower-case hex digits; empty when only the collateral can tell
  std::string pck_ca;  ///< "platform" or "processor"; empty when only the collateral can tell
  UnixTime at{};       ///< when it must be in date
  // What the policy will refuse otherwise; a cache asks anew rather than hand out less.
  std::uint32_t min_evaluation_number = 0;
  UnixTime issued_after{};
  /// What the certificate that is judged brings itself, as for parse_endorsements; may be null.
  /// Only the source "stapled" looks at it.
  std::shared_ptr<const Bytes> endorsements{};
  std::stop_token stop{};  ///< nobody waits for the answer any more
  StepListener on_step{};  ///< told of the sources of a policy, one after the other
};

/// PreparedCollateral is collateral whose signatures were checked once, against one root, so that
/// many quotes can be verified with it quickly. It holds for each part either the checked content
/// or its error, because the verifier reports the first failure in the order of its own checks.
/// Dates are not judged here. Thread-safety: immutable.
class PreparedCollateral {
 public:
  static std::shared_ptr<const PreparedCollateral> prepare(Collateral collateral,
                                                           const TrustRoot& root,
                                                           std::string source);
  ~PreparedCollateral();

  /// check_at says which part is not there, not authentic or not in date, the first of them. It
  /// chooses between sources; the verdict is the verifier's. Errors: the codes of the parts.
  Result<void> check_at(UnixTime now) const;
  bool usable_at(UnixTime now) const { return check_at(now).has_value(); }

  /// check_for is check_at, and that it is for the platform as far as the request names one.
  /// Errors: as check_at; tcb_info_mismatch, qe_identity_mismatch, crl_untrusted.
  Result<void> check_for(const CollateralRequest& request) const;

  /// expires is the last second for which check_at can hold; the epoch when a part is not usable.
  UnixTime expires() const noexcept;

  /// source is where it came from: "file", "pccs", "stapled" or "cache".
  const std::string& source() const noexcept { return source_; }

  /// collateral is what was prepared, to be stored or handed on.
  const Collateral& collateral() const noexcept { return collateral_; }

  struct Parts;  // src/collateral/parts.h, for src/verifier
  const Parts& parts() const noexcept { return *parts_; }

 private:
  PreparedCollateral() = default;
  Collateral collateral_;
  std::string source_;
  std::unique_ptr<const Parts> parts_;
};

/// CollateralSource finds collateral. Implementations may block on files or the network; find may
/// be called from any thread. Errors: collateral_unavailable, collateral_malformed; those of a
/// service also collateral_platform_unknown, collateral_number_retired,
/// collateral_server_untrusted (ratls/pccs.h).
class CollateralSource {
 public:
  virtual ~CollateralSource() = default;
  virtual Result<std::shared_ptr<const PreparedCollateral>> find(
      const CollateralRequest& request) = 0;
  /// verified tells the source that a verdict with collateral which it gave was an acceptance.
  virtual void verified(const PreparedCollateral&) {}
};

/// SourceOpener makes the source of an entry that is "pcs", "stapled" or an address; null for one
/// that there is not where the sources are opened.
using SourceOpener = std::function<Result<std::unique_ptr<CollateralSource>>(const std::string&)>;

/// open_collateral_sources joins the entries of [collateral] sources, tried in order until one has
/// complete, authentic collateral in date, which then decides; when none has, the first answer
/// does. "file:PATH" (relative to base_dir) is read when first needed, and again when it is out of
/// date. open_remote makes the others; without it, and when it makes none, they end in
/// collateral_unavailable when they are reached.
/// Errors: policy_invalid for an entry that is no source.
Result<std::shared_ptr<CollateralSource>> open_collateral_sources(
    const std::vector<std::string>& sources, const std::filesystem::path& base_dir,
    const TrustRoot& root, const SourceOpener& open_remote = {});

/// Baseline is which of Intel's TCB baselines a source is asked for: the standard one, the early
/// one, or that of a certain evaluation number; stapled is the one that a server chooses.
enum class Baseline { standard, early, pinned, stapled };

/// CacheOptions says where collateral is kept between processes, with the highest numbers seen.
struct CacheOptions {
  std::filesystem::path dir;  ///< empty: in memory only; default_cache_dir() is the usual place
  bool background = true;     ///< renew beside the traffic; false: while the one who asks waits
};

/// CachedAs names a source in a cache.
struct CachedAs {
  std::string name;  ///< the source and how it is asked
  Baseline baseline = Baseline::standard;
  bool on_disk = true;  ///< false: only the highest numbers are written
};

/// default_cache_dir is $XDG_CACHE_HOME/ratls/collateral, or ~/.cache/ratls/collateral; empty when
/// neither can be told.
std::filesystem::path default_cache_dir();

/// with_cache puts a cache before a source. Collateral is handed out while it is in date, and
/// renewed a day after it was fetched or in the last third of its life; threads that miss at once
/// cause one fetch; a failure is remembered for 5 seconds. What lies on disk is checked like what
/// is fetched. Of the source: also collateral_superseded, for an evaluation or CRL number that is
/// lower than one seen before under the same root and baseline.
std::unique_ptr<CollateralSource> with_cache(std::unique_ptr<CollateralSource> source,
                                             const CachedAs& as, const TrustRoot& root,
                                             const CacheOptions& options);

}  // namespace ratls
