// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "verifier/steps.h"

namespace ratls::verifier {
namespace {

Result<void> check_usage(const x509::Certificate& certificate) {
  if (!certificate.extended_key_usage) return {};
  static const x509::Oid kServerAuth = x509::oid_from_text("1.3.6.1.5.5.7.3.1");
  static const x509::Oid kAny = x509::oid_from_text("2.5.29.37.0");
  for (const x509::Oid& usage : *certificate.extended_key_usage) {
    if (usage == kServerAuth || usage == kAny) return {};
  }
  return Error(Code::certificate_usage, "certificate.extended_key_usage", "serverAuth is missing");
}

Result<void> check_server_key(const SessionPolicy& policy, const Report& report) {
  if (!policy.server_keys) return {};
  for (const auto& key : *policy.server_keys) {
    if (to_hex(key) == *report.server_key_sha256) return {};
  }
  return Error(Code::server_key_not_allowed, "certificate.subject_public_key_info",
               "SHA-256 " + *report.server_key_sha256);
}

// RFC 9525 6.3, without wildcards: a certificate for one attested server needs none.
Result<void> check_name(const x509::Certificate& certificate, const std::string& host,
                        Report& report) {
  std::vector<std::string> names = certificate.dns_names;
  names.insert(names.end(), certificate.ip_addresses.begin(), certificate.ip_addresses.end());
  std::string listed;
  for (const std::string& name : names) {
    listed += (listed.empty() ? "" : ", ") + name;
    if (!host.empty() && equal_ignoring_case(name, host)) {
      report.name_checked = true;
      return {};
    }
  }
  return Error(Code::name_mismatch, "certificate.subject_alt_name",
               "asked for \"" + host + "\", the certificate names " + listed);
}

// The quote does not cover the certificate's dates; the claim ratls-not-after does
// (docs/evidence.md). A certificate inside its own dates that ends no later is inside the attested
// ones too.
Result<void> check_attested_end(UnixTime attested, const x509::Certificate& certificate) {
  if (certificate.not_after <= attested) return {};
  return Error(Code::certificate_unbound, "certificate.not_after",
               format_time(certificate.not_after) + " is later than the attested end " +
                   format_time(attested));
}

Result<void> check_certificate_dates(const x509::Certificate& certificate, UnixTime now) {
  if (now >= certificate.not_before && now <= certificate.not_after) return {};
  return Error(Code::certificate_expired, "certificate",
               "valid from " + format_time(certificate.not_before) + " to " +
                   format_time(certificate.not_after) + ", checked at " + format_time(now));
}

}  // namespace

Result<UnixTime> check_certificate(const Subject& subject, const Policy& policy, UnixTime now,
                                   Report& report) {
  const x509::Certificate& certificate = *subject.certificate;
  if (!x509::self_signature_valid(certificate)) {
    return Error(Code::certificate_untrusted, "certificate.signature", "not signed by its own key");
  }
  if (const auto* unknown = certificate.unknown_critical(
          {evidence::dice_oid(), evidence::gramine_legacy_oid(), evidence::intel_legacy_oid()})) {
    return Error(Code::certificate_untrusted, "certificate.extensions",
                 "unknown and critical: " + x509::oid_to_text(unknown->oid));
  }
  RATLS_CHECK(check_certificate_dates(certificate, now));
  const auto& claims = subject.evidence->claims;
  if (claims && claims->not_after) {
    RATLS_CHECK(check_attested_end(*claims->not_after, certificate));
    report.validity_bound = true;
  }
  if (policy.session.require_attested_end && !report.validity_bound) {
    return Error(Code::certificate_lifetime, "certificate",
                 "its end is not attested, the policy demands it");
  }
  RATLS_CHECK(check_usage(certificate));
  const auto lifetime = certificate.not_after - certificate.not_before;
  if (lifetime > policy.session.max_certificate_lifetime) {
    return Error(Code::certificate_lifetime, "certificate",
                 format_duration(lifetime) + ", the policy allows " +
                     format_duration(policy.session.max_certificate_lifetime));
  }
  RATLS_CHECK(check_server_key(policy.session, report));
  if (report.proves != Proves::session) return certificate.not_after;
  report.fresh = subject.fresh;
  if (policy.session.fresh && !subject.fresh && !subject.context.session_evidence_follows) {
    return Error(Code::evidence_not_fresh, "session", "the policy demands fresh evidence");
  }
  if (policy.session.check_name) {
    RATLS_CHECK(check_name(certificate, subject.context.host, report));
  }
  return certificate.not_after;
}

}  // namespace ratls::verifier
