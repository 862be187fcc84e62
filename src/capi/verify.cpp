// SPDX-License-Identifier: Apache-2.0
#include "capi/handles.h"
#include "x509/certificate.h"

struct ratls_verifier {
  ratls::Verifier verifier;
  std::shared_ptr<ratls::CollateralSource> source;
};

namespace ratls::capi {

ratls_report* make_report(const Outcome& outcome) {
  auto report = std::make_unique<ratls_report>();
  report->code = outcome.error ? outcome.error->code() : Code::ok;
  report->message = verdict_message(outcome);
  if (outcome.error) report->where = outcome.error->where();
  report->json = report_json_text(outcome);
  return report.release();
}

namespace {

BytesView bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::uint8_t*>(data), size};
}

// judge(now) is a call of the verifier.
template <class Judge>
ratls_code verify(const ratls_verifier* verifier, const void* subject, std::int64_t at,
                  ratls_report** report, ratls_error** error, Judge judge) noexcept {
  if (report != nullptr) *report = nullptr;
  std::optional<Verdict> verdict;
  const ratls_code code = guarded(error, [&]() -> Result<void> {
    RATLS_CHECK(check_pointers({verifier, subject, report}));
    UnixTime now = system_now();
    if (at != RATLS_NOW) {
      RATLS_TRY(now, parse_time(std::to_string(at), "at"));
    }
    RATLS_TRY(verdict, judge(now));
    Outcome outcome = outcome_of(*verdict);
    outcome.time_given = at != RATLS_NOW;
    *report = make_report(outcome);
    return {};
  });
  if (code != RATLS_OK || verdict->accepted()) return code;
  return set_error(error, verdict->result.error(), &*verdict);
}

}  // namespace
}  // namespace ratls::capi

using namespace ratls::capi;

ratls_code ratls_verifier_open(const ratls_policy* policy, const char* cache_dir,
                               ratls_verifier** verifier, ratls_error** error) {
  if (verifier != nullptr) *verifier = nullptr;
  return guarded(error, [&]() -> ratls::Result<void> {
    RATLS_CHECK(check_pointers({policy, verifier}));
    RATLS_TRY(auto made, ratls::Verifier::create(policy->policy));
    RATLS_TRY(auto source, ratls::open_policy_sources(made, cache_options(cache_dir)));
    *verifier = new ratls_verifier{std::move(made), std::move(source)};
    return {};
  });
}

void ratls_verifier_free(ratls_verifier* verifier) { delete verifier; }

ratls_code ratls_verify_certificate(const ratls_verifier* verifier, const void* certificate,
                                    size_t size, int64_t at, ratls_report** report,
                                    ratls_error** error) {
  const auto judge = [&](ratls::UnixTime now) -> ratls::Result<ratls::Verdict> {
    RATLS_TRY(const auto der, ratls::x509::certificate_of_file(bytes_of(certificate, size)));
    return verifier->verifier.verify_certificate(der, {}, *verifier->source, now);
  };
  return verify(verifier, certificate, at, report, error, judge);
}

ratls_code ratls_verify_peer(const ratls_verifier* verifier, const void* certificate, size_t size,
                             const char* host, ratls_report** report, ratls_error** error) {
  const auto judge = [&](ratls::UnixTime now) -> ratls::Result<ratls::Verdict> {
    RATLS_CHECK(check_pointers({host}));
    RATLS_TRY(const auto der, ratls::x509::certificate_of_file(bytes_of(certificate, size)));
    const ratls::CertificateContext met{.proves = ratls::Proves::session, .host = host};
    return verifier->verifier.verify_certificate(der, met, *verifier->source, now);
  };
  return verify(verifier, certificate, RATLS_NOW, report, error, judge);
}

ratls_code ratls_verify_quote(const ratls_verifier* verifier, const void* quote, size_t size,
                              int64_t at, ratls_report** report, ratls_error** error) {
  const auto judge = [&](ratls::UnixTime now) -> ratls::Result<ratls::Verdict> {
    return verifier->verifier.verify_quote(bytes_of(quote, size), *verifier->source, now);
  };
  return verify(verifier, quote, at, report, error, judge);
}

int ratls_report_accepted(const ratls_report* report) {
  return report != nullptr && report->code == ratls::Code::ok ? 1 : 0;
}
ratls_code ratls_report_code(const ratls_report* report) {
  return static_cast<ratls_code>(report == nullptr ? ratls::Code::usage : report->code);
}
const char* ratls_report_message(const ratls_report* report) {
  return report == nullptr ? nullptr : report->message.c_str();
}
const char* ratls_report_where(const ratls_report* report) {
  return report == nullptr ? nullptr : or_null(report->where);
}
const char* ratls_report_hint(const ratls_report* report) {
  if (report == nullptr || report->code == ratls::Code::ok) return nullptr;
  return ratls_code_hint(static_cast<ratls_code>(report->code));
}
const char* ratls_report_json(const ratls_report* report) {
  return report == nullptr ? nullptr : report->json.c_str();
}
void ratls_report_free(ratls_report* report) { delete report; }
