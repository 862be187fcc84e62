// SPDX-License-Identifier: Apache-2.0
#include "compat/judge.h"

#include "compat/deferred_source.h"
#include "compat/results.h"
#include "evidence/evidence.h"
#include "ratls/client.h"

namespace ratls::compat {
namespace {

Judgement refused(Error error, ra_tls_err_loc_t step) {
  Judgement judgement;
  judgement.refusal = std::move(error);
  judgement.step = step;
  return judgement;
}

// A certificate alone proves neither, and the verifier asks for them in sessions only.
Result<void> check_session(const SessionPolicy& session) {
  if (session.fresh) {
    return Error(Code::policy_invalid, "session.fresh",
                 "this interface sees no session, only a certificate: it cannot be fulfilled");
  }
  if (session.check_name) {
    return Error(Code::policy_invalid, "session.check_name",
                 "this interface is told no name of a server: it cannot be fulfilled");
  }
  return {};
}

// What the certificate says of its enclave; nothing proves it yet.
Result<EnclaveReport> claimed_enclave(BytesView der) {
  RATLS_TRY(const auto certificate, x509::parse_certificate(der, Code::certificate_malformed));
  RATLS_TRY(const auto evidence, evidence::read_evidence(certificate));
  const EnclaveReport* enclave = evidence.quote.enclave();
  if (enclave == nullptr) {
    return Error(Code::quote_unsupported, "quote",
                 "it is a TDX guest's; this interface knows SGX enclaves only");
  }
  if (enclave->mr_enclave != MrEnclave{}) return *enclave;
  return Error(Code::identity_mismatch, "quote.mr_enclave", "all zeros, which no enclave has");
}

// What rules leave open has to be proven as it is claimed: the policy then names one enclave, and a
// callback is shown nothing that was not verified.
EnclaveIdentity completed(EnclaveIdentity wanted, const EnclaveReport& claimed) {
  if (wanted.mr_enclave) return wanted;
  if (!wanted.mr_signer) {
    wanted.mr_enclave = claimed.mr_enclave;
    return wanted;
  }
  if (!wanted.isv_prod_id) wanted.isv_prod_id = claimed.isv_prod_id;
  if (!wanted.min_isv_svn) wanted.min_isv_svn = 0;
  return wanted;
}

template <class Value>
const char* chars_of(const Value* value) {
  return static_cast<const char*>(static_cast<const void*>(value));
}

Result<void> ask(verify_measurements_cb_t callback, const EnclaveReport& enclave) {
  const int answer =
      callback(chars_of(enclave.mr_enclave.bytes.data()), chars_of(enclave.mr_signer.bytes.data()),
               chars_of(&enclave.isv_prod_id), chars_of(&enclave.isv_svn));
  if (answer == 0) return {};
  return Error(
      Code::identity_mismatch, "measurement callback",
      "it answered " + std::to_string(answer) + " to mr_enclave " + to_hex(enclave.mr_enclave));
}

}  // namespace

Result<Policy> Judge::base() {
  const std::lock_guard lock(mutex_);
  if (!base_) {
    Policy defaults;
    defaults.session.max_certificate_lifetime = std::chrono::days(36600);  // Gramine's has none
    RATLS_TRY(Policy loaded, load_policy_base(file_, std::move(defaults)));
    RATLS_CHECK(check_session(loaded.session));
    base_ = std::move(loaded);
  }
  return *base_;
}

// It follows from the file alone, so that all calls share what it has fetched.
Result<std::shared_ptr<CollateralSource>> Judge::source(const Verifier& verifier) {
  const std::lock_guard lock(mutex_);
  if (source_ == nullptr) {
    RATLS_TRY(source_, open_policy_sources(verifier, CacheOptions{.dir = default_cache_dir(),
                                                                  .background = false}));
  }
  return source_;
}

Judgement Judge::judge(BytesView der, const Rules& rules, UnixTime now) {
  auto wanted = rules.callback != nullptr ? EnclaveIdentity{} : enclave_of(rules.variables);
  if (!wanted) return refused(std::move(wanted).error(), AT_VERIFY_ENCLAVE_MEASUREMENTS);
  auto policy = base();
  if (!policy) return refused(std::move(policy).error(), AT_INIT);
  const auto claimed = claimed_enclave(der);
  if (!claimed) return refused(claimed.error(), step_of(claimed.error().code()));

  Judgement judgement;
  judgement.any_product_or_version =
      wanted->mr_signer && !wanted->mr_enclave && !(wanted->isv_prod_id && wanted->min_isv_svn);
  policy->enclaves.push_back(completed(std::move(wanted).value(), *claimed));
  policy::accept_conditions(rules.variables.conditions, policy->tcb);
  if (rules.variables.allow_debug) policy->dangerous_allow_debug = true;
  const auto verifier = Verifier::create(std::move(policy).value());
  if (!verifier) return refused(verifier.error(), AT_INIT);
  const auto collateral = source(*verifier);
  if (!collateral) return refused(collateral.error(), AT_INIT);

  DeferredSource deferred(**collateral);  // whom the callback refuses may not raise its numbers
  const Verdict verdict = verifier->verify_certificate(der, {}, deferred, now);
  judgement.tcb_status = verdict.report.tcb_status;
  if (!verdict.accepted()) {
    judgement.refusal = verdict.result.error();
    judgement.step = step_of(judgement.refusal->code());
    return judgement;
  }
  if (rules.callback != nullptr) {
    const auto asked = ask(rules.callback, *verdict.result->enclave());
    if (!asked) {
      judgement.refusal = asked.error();
      judgement.step = AT_VERIFY_ENCLAVE_MEASUREMENTS;
      return judgement;
    }
  }
  deferred.confirm();
  return judgement;
}

}  // namespace ratls::compat
