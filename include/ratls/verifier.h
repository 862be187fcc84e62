// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ratls/collateral.h"
#include "ratls/policy.h"
#include "ratls/quote.h"
#include "ratls/session.h"
#include "ratls/tcb.h"
#include "ratls/time.h"

namespace ratls {

/// Proves says what was looked at: a quote binds no key, a certificate file proves no possession
/// of its key, a session does both.
enum class Proves { quote, certificate, session };

/// CertificateContext says how a certificate was met.
struct CertificateContext {
  Proves proves = Proves::certificate;  ///< certificate or session
  std::string host;  ///< the name or address that was asked for; for [session] check_name
  /// The caller will not use the session before verify_session has accepted it, where [session]
  /// fresh demands that.
  bool session_evidence_follows = false;

  bool operator==(const CertificateContext&) const = default;
};

/// Report is what the verifier read and authenticated. An absent value was not reached, or was not
/// authentic. It says nothing about acceptance: that is Verdict::accepted.
struct Report {
  Proves proves = Proves::quote;
  bool fresh = false;           ///< the evidence was made for this session
  bool validity_bound = false;  ///< the certificate's end is attested
  bool name_checked = false;
  bool legacy_evidence_unevaluated = false;  ///< a second quote was compared, not verified
  bool simulated = false;                    ///< the root is not Intel's
  std::string evidence_format;  ///< "dice", "gramine-legacy", "quote"; empty when unreadable

  // From the quote; authentic when authenticated is set.
  bool authenticated = false;
  std::optional<int> quote_version;
  std::optional<Tee> tee;
  std::optional<EnclaveReport> enclave;  ///< SGX
  std::optional<TdReport> td;            ///< TDX

  // From the PCK certificate.
  std::optional<std::string> fmspc;
  std::optional<std::string> pce_id;
  std::optional<std::string> ppid;
  std::optional<std::string> pck_ca;  ///< "platform", "processor"

  // From the collateral.
  std::optional<TcbStatus> tcb_status;  ///< platform, TDX module and QE joined
  std::optional<TcbStatus> platform_tcb_status;
  std::optional<TcbStatus> module_tcb_status;  ///< TDX modules with an identity of their own
  std::optional<TcbStatus> qe_tcb_status;
  std::vector<std::string> advisories;      ///< of platform, module and QE, sorted, each once
  std::optional<UnixTime> tcb_date;         ///< of the matched platform level
  std::optional<UnixTime> module_tcb_date;  ///< of the matched TDX module level
  std::optional<UnixTime> qe_tcb_date;      ///< of the matched QE level
  std::optional<std::uint32_t>
      tcb_evaluation_number;  ///< the smaller of TCB info's and QE identity's
  std::optional<std::string> collateral_source;
  std::optional<UnixTime> collateral_issued;   ///< the older of TCB info and QE identity
  std::optional<UnixTime> collateral_expires;  ///< the earliest end of all that was used

  // From the certificate.
  std::optional<UnixTime> certificate_not_before;
  std::optional<UnixTime> certificate_not_after;
  std::optional<std::string> server_key_sha256;  ///< hex of SHA-256(SPKI)
  std::string matched_entry;  ///< the name of the [[enclave]] or [[td]] entry that matched

  UnixTime checked_at{};
  /// chain lists the subjects from the root to the PCK leaf, with their ends, for people.
  struct ChainLink {
    std::string subject;
    UnixTime not_before{};
    UnixTime not_after{};
  };
  std::vector<ChainLink> chain;
};

/// VerifiedQuote is the proof that a quote passed every check of a policy. Only Verifier makes one.
/// Move-only, so that it cannot be kept beside a session that has ended. Thread-safety: immutable.
class VerifiedQuote {
 public:
  VerifiedQuote(VerifiedQuote&&) noexcept = default;
  VerifiedQuote& operator=(VerifiedQuote&&) noexcept = default;
  VerifiedQuote(const VerifiedQuote&) = delete;
  VerifiedQuote& operator=(const VerifiedQuote&) = delete;

  const Report& report() const noexcept { return report_; }
  /// enclave is the SGX report, null for TDX; td the TD report, null for SGX.
  const EnclaveReport* enclave() const noexcept {
    return report_.enclave ? &*report_.enclave : nullptr;
  }
  const TdReport* td() const noexcept { return report_.td ? &*report_.td : nullptr; }
  /// expires is the last second for which the verdict holds: the earliest end of certificate,
  /// attested end, collateral and grace.
  UnixTime expires() const noexcept { return expires_; }

 private:
  friend class Verifier;
  VerifiedQuote(Report report, UnixTime expires) : report_(std::move(report)), expires_(expires) {}
  Report report_;
  UnixTime expires_;
};

/// Verdict is the outcome of one verification: the report, always, and either the proof or the
/// first error in the order of docs/verification.md.
struct Verdict {
  Report report;
  Result<VerifiedQuote> result;

  bool accepted() const noexcept { return result.has_value(); }
};

/// Examination is the outcome of all checks that need no collateral (steps A, Q and B of
/// docs/verification.md): format, key binding, and the PCK chain up to the trusted root.
/// Thread-safety: immutable.
class Examination {
 public:
  Examination(Examination&&) noexcept;
  Examination& operator=(Examination&&) noexcept;
  ~Examination();

  /// error is the first failure; the examination still carries its report.
  const std::optional<Error>& error() const noexcept;
  const Report& report() const noexcept;
  /// request names the collateral that decide() needs.
  CollateralRequest request() const;

 private:
  friend class Verifier;
  struct State;
  explicit Examination(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Verifier judges quotes and attested certificates by one policy. It does no I/O and asks no
/// clock: what it needs is an argument, so every verdict can be replayed.
/// Thread-safety: const calls from any thread.
class Verifier {
 public:
  /// create checks the policy. Errors: policy_invalid, policy_empty.
  static Result<Verifier> create(Policy policy);

  const Policy& policy() const noexcept;
  const TrustRoot& root() const noexcept;

  /// examine_quote and examine_certificate run the checks that need no collateral.
  Examination examine_quote(BytesView quote, UnixTime now) const;
  Examination examine_certificate(BytesView der, const CertificateContext& context,
                                  UnixTime now) const;
  /// decide runs the rest and gives the verdict; an examination that failed stays a refusal.
  Verdict decide(const Examination& examination, const PreparedCollateral& collateral,
                 UnixTime now) const;

  /// verify_quote and verify_certificate join the two, asking the source in between. The verdict on
  /// a certificate that was accepted before is given again while the context, the collateral that
  /// the source gives and all dates hold.
  /// Blocks: as the source does.
  Verdict verify_quote(BytesView quote, CollateralSource& source, UnixTime now) const;
  Verdict verify_certificate(BytesView der, const CertificateContext& context,
                             CollateralSource& source, UnixTime now) const;

  /// verify_session judges a session by evidence that its server made for it (docs/
  /// session-evidence.md): DICE evidence over this exporter, by the enclave or TD and for the key
  /// of the certificate. The certificate is judged with it once more, but for its own quote's
  /// signatures.
  /// Blocks: as the source does.
  Verdict verify_session(BytesView der, const CertificateContext& context, BytesView evidence,
                         const SessionExporter& exporter, CollateralSource& source,
                         UnixTime now) const;

 private:
  template <class Examine>
  Examination examine(Proves proves, UnixTime now, Examine steps) const;
  Verdict verify(const Examination& examination, CollateralSource& source, UnixTime now) const;

  struct State;
  explicit Verifier(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace ratls
