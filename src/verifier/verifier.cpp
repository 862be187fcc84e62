// SPDX-License-Identifier: Apache-2.0
#include "ratls/verifier.h"

#include "base/reader.h"
#include "verifier/steps.h"

namespace ratls {

namespace {

using Prepared = std::shared_ptr<const PreparedCollateral>;

/// Accepted is a certificate that was accepted, with all that the verdict was made of.
struct Accepted {
  Bytes der;
  CertificateContext context;
  std::shared_ptr<const Bytes> endorsements;
  Prepared collateral;
  Report report;
  UnixTime expires;

  // The dates that were looked at hold from then to the earliest of their ends.
  bool holds_at(UnixTime now) const { return now >= report.checked_at && now <= expires; }
};

CollateralRequest request_for(const Report& report, std::shared_ptr<const Bytes> endorsements) {
  CollateralRequest request;
  request.endorsements = std::move(endorsements);
  if (report.tee) request.tee = to_string(*report.tee);
  request.fmspc = report.fmspc.value_or("");
  request.pck_ca = report.pck_ca.value_or("");
  request.at = report.checked_at;
  return request;
}

}  // namespace

struct Verifier::State {
  State(Policy accepted, TrustRoot root) : policy(std::move(accepted)), trust(std::move(root)) {}
  // With what the policy demands of collateral.
  CollateralRequest wanted(CollateralRequest request) const {
    request.min_evaluation_number = policy.tcb.min_evaluation_number;
    request.issued_after = request.at - policy.tcb.max_collateral_age;
    return request;
  }

  const Policy policy;
  const verifier::Trust trust;
  mutable verifier::Ring<std::shared_ptr<const Accepted>, 64> accepted;
};

struct Examination::State {
  Report report;
  std::optional<Error> error;
  verifier::Subject subject;
};

Examination::Examination(std::unique_ptr<State> state) : state_(std::move(state)) {}
Examination::Examination(Examination&&) noexcept = default;
Examination& Examination::operator=(Examination&&) noexcept = default;
Examination::~Examination() = default;

const std::optional<Error>& Examination::error() const noexcept { return state_->error; }
const Report& Examination::report() const noexcept { return state_->report; }

CollateralRequest Examination::request() const {
  return request_for(state_->report, state_->subject.endorsements);
}

Result<Verifier> Verifier::create(Policy policy) {
  RATLS_CHECK(check_policy(policy));
  if (!policy.root_pem) {
    return Verifier(std::make_shared<const State>(std::move(policy), TrustRoot::intel()));
  }
  RATLS_TRY(TrustRoot root, TrustRoot::from_pem(as_bytes(*policy.root_pem)));
  return Verifier(std::make_shared<const State>(std::move(policy), std::move(root)));
}

const Policy& Verifier::policy() const noexcept { return state_->policy; }
const TrustRoot& Verifier::root() const noexcept { return state_->trust.root(); }

// steps fills the subject; the platform comes after them.
template <class Examine>
Examination Verifier::examine(Proves proves, UnixTime now, Examine steps) const {
  auto state = std::make_unique<Examination::State>();
  state->report.proves = proves;
  state->report.checked_at = now;
  state->report.simulated = !root().is_intel();
  const Result<void> outcome = [&]() -> Result<void> {
    RATLS_CHECK(steps(state->subject, state->report));
    return verifier::examine_platform(state->subject, state_->trust, now, state->report);
  }();
  if (!outcome) state->error = outcome.error();
  return Examination(std::move(state));
}

Examination Verifier::examine_quote(BytesView quote, UnixTime now) const {
  return examine(Proves::quote, now,
                 [&](verifier::Subject& subject, Report& report) -> Result<void> {
                   RATLS_TRY(subject.quote, parse_quote(quote));
                   report.evidence_format = "quote";
                   return {};
                 });
}

Examination Verifier::examine_certificate(BytesView der, const CertificateContext& context,
                                          UnixTime now) const {
  return examine(context.proves, now, [&](verifier::Subject& subject, Report& report) {
    subject.context = context;
    return verifier::examine_binding(der, subject, report);
  });
}

Verdict Verifier::decide(const Examination& examination, const PreparedCollateral& collateral,
                         UnixTime now) const {
  Report report = examination.state_->report;
  if (examination.error()) return {std::move(report), *examination.error()};
  const Result<UnixTime> expires = verifier::judge(examination.state_->subject, collateral,
                                                   state_->trust, state_->policy, now, report);
  if (!expires) return {std::move(report), expires.error()};
  Report copy = report;
  return {std::move(copy), VerifiedQuote(std::move(report), *expires)};
}

Verdict Verifier::verify(const Examination& examination, CollateralSource& source,
                         UnixTime now) const {
  if (examination.error()) return {examination.report(), *examination.error()};
  const auto collateral = source.find(state_->wanted(examination.request()));
  if (!collateral) return {examination.report(), collateral.error()};
  Verdict verdict = decide(examination, **collateral, now);
  if (verdict.accepted()) source.verified(**collateral);
  return verdict;
}

Verdict Verifier::verify_quote(BytesView quote, CollateralSource& source, UnixTime now) const {
  return verify(examine_quote(quote, now), source, now);
}

Verdict Verifier::verify_session(BytesView der, const CertificateContext& context,
                                 BytesView evidence, const SessionExporter& exporter,
                                 CollateralSource& source, UnixTime now) const {
  const auto steps = [&](verifier::Subject& subject, Report& report) -> Result<void> {
    subject.context = context;
    RATLS_CHECK(verifier::examine_binding(der, subject, report));
    return verifier::examine_session(evidence, exporter, subject, report);
  };
  return verify(examine(context.proves, now, steps), source, now);
}

Verdict Verifier::verify_certificate(BytesView der, const CertificateContext& context,
                                     CollateralSource& source, UnixTime now) const {
  const auto known = state_->accepted.find([&](const std::shared_ptr<const Accepted>& accepted) {
    return std::ranges::equal(accepted->der, der) && accepted->context == context &&
           accepted->holds_at(now);
  });
  std::optional<Result<Prepared>> collateral;
  if (known) {
    Report report = (*known)->report;
    report.checked_at = now;
    collateral = source.find(state_->wanted(request_for(report, (*known)->endorsements)));
    if (*collateral && **collateral == (*known)->collateral) {
      return {report, VerifiedQuote(report, (*known)->expires)};
    }
  }
  const Examination examination = examine_certificate(der, context, now);
  if (examination.error()) return {examination.report(), *examination.error()};
  if (!collateral) collateral = source.find(state_->wanted(examination.request()));
  if (!*collateral) return {examination.report(), collateral->error()};
  Verdict verdict = decide(examination, ***collateral, now);
  if (verdict.accepted()) {
    source.verified(***collateral);
    state_->accepted.add(std::make_shared<const Accepted>(
        Accepted{Bytes(der.begin(), der.end()), context, examination.request().endorsements,
                 **collateral, verdict.report, verdict.result->expires()}));
  }
  return verdict;
}

}  // namespace ratls
