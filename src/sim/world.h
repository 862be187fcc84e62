// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ratls/collateral.h"
#include "sim/documents.h"
#include "sim/quote_maker.h"

namespace ratls::sim {

// How to forge, validly signed but for what was changed (build and look at the errors in between):
//
//   WorldSpec spec = plan_world().value();         // or plan_world({.pck_ca = PckCa::processor,
//   ...}) spec.pck_crl.signer = spec.stranger;           // one artifact goes wrong; or
//   .spec.not_after = ... spec.quote.report.attributes.bytes[0] |= kAttributeDebug;
//   spec.tcb_info.text = "no JSON";                // a text of one's own, rightly signed
//   World world = build_world(spec).value();       // signs everything
//   world.collateral.pck_crl[9] ^= 1;              // broken after signing
//   Bytes quote = world.quote(report_data).value();
//   ... verify against world.root_pem at kWorldTime.
//
// What several artifacts must agree on is an argument of plan_world; the spec is a value, so two
// worlds can share parts: copy the members, and spec.root.issued = world.root_der for one root.

/// kWorldTime is when a default world is valid: 2026-01-15T12:00:00Z.
inline constexpr UnixTime kWorldTime{std::chrono::seconds(1768478400)};
/// kCollateralLifetime is how long CRLs, TCB info and QE identity are valid from their issue.
inline constexpr std::chrono::seconds kCollateralLifetime = std::chrono::days(30);

/// default_machine is what a PCK certificate says of the simulated hardware, for that kind of CA.
x509::PckExtension default_machine(PckCa pck_ca);
/// default_enclave is the report of an initialised 64-bit production enclave.
EnclaveReport default_enclave();
/// default_td is the report (TDX 1.0) of a production TD on an up-to-date TDX module.
TdReport default_td();

/// WorldKeys are the keys of a world; null ones are made new.
struct WorldKeys {
  Key root;
  Key pck_ca;
  Key pck;
  Key tcb_signing;
  Key attestation;
};

/// WorldBasics is what several artifacts of a world have to agree on.
struct WorldBasics {
  UnixTime now = kWorldTime;  ///< certificates are valid from a day before, for years
  PckCa pck_ca = PckCa::platform;
  std::optional<x509::PckExtension> machine;  ///< absent: default_machine
  EnclaveReport enclave = default_enclave();
  std::optional<TdReport> td;  ///< a TDX world: quotes of version 4 of it; absent: an SGX world
  std::uint64_t crl_number = 1;
  WorldKeys keys;
};

/// WorldSpec is every artifact of a world before it is signed. As planned, all of it is valid at
/// WorldBasics::now and the platform is UpToDate. Every member may be changed.
struct WorldSpec {
  CertificateDraft root;
  CertificateDraft pck_ca;
  CertificateDraft pck;
  /// Written into pck; absent: pck has no SGX extension but what pck.spec.extensions says.
  std::optional<x509::PckExtension> machine;
  CertificateDraft tcb_signing;  ///< of TCB info and QE identity
  CrlDraft root_crl;
  CrlDraft pck_crl;
  TcbInfoDraft tcb_info;
  QeIdentityDraft qe_identity;
  QuoteSpec quote;                          ///< quote.certification.type says which body is written
  std::optional<Bytes> certification_body;  ///< written in place of it
  Key stranger;                             ///< used nowhere; for signatures by somebody else
};

/// World is the signed artifacts. Thread-safety: const calls from any thread.
struct World {
  Bytes root_der;
  std::string root_pem;
  std::string pck_chain_pem;  ///< leaf, intermediate, root
  Collateral collateral;      ///< with the PCK chain only where the quote does not carry it
  QuoteSpec quote_spec;       ///< ready for make_quote

  /// quote makes a quote over this report data. Errors: internal.
  Result<Bytes> quote(const ReportData& report_data) const;
};

/// plan_world drafts everything. Errors: internal.
Result<WorldSpec> plan_world(WorldBasics basics = {});
/// build_world signs everything. Errors: internal.
Result<World> build_world(const WorldSpec& spec);

/// plan_quote is the quote's part of plan_world, without certification data.
QuoteSpec plan_quote(const x509::PckExtension& machine, const EnclaveReport& enclave,
                     const WorldKeys& keys);
/// plan_td_quote does the same for a TD, as a quote of version 4.
QuoteSpec plan_td_quote(const x509::PckExtension& machine, const TdReport& td,
                        const WorldKeys& keys);
/// pck_chain_body is a PCK chain as hardware writes it into quotes: with a NUL at the end.
Bytes pck_chain_body(std::string_view pck_chain_pem);

}  // namespace ratls::sim
