// SPDX-License-Identifier: Apache-2.0
// What libra_tls_verify_dcap*.so exports.
#include <gramine/ra_tls.h>

#include <atomic>
#include <cstdio>
#include <exception>

#include "compat/results.h"
#include "tls/openssl_setup.h"

// Where root and collateral are named; fixed, because whoever chooses the file chooses whom to
// trust. Only the tests' build of the library has another.
#ifndef RATLS_COMPAT_FILE
#define RATLS_COMPAT_FILE "/etc/ratls/compat.toml"
#endif

namespace ratls::compat {
namespace {

std::atomic<verify_measurements_cb_t> measurement_callback{nullptr};

void warn_once_of_any_product() {
  static std::atomic_flag warned;
  if (warned.test_and_set()) return;
  std::fputs(
      "warning: RA_TLS_MRSIGNER without RA_TLS_ISV_PROD_ID and RA_TLS_ISV_SVN accepts every "
      "product "
      "and every old version of that signer\n",
      stderr);
}

Judgement judge(BytesView der) {
  tls::set_up_openssl();
  // Never destroyed: other threads may verify while the process ends. What it has is still
  // reachable.
  static Judge& judge = *new Judge(RATLS_COMPAT_FILE);
  Judgement judgement = judge.judge(
      der, {.callback = measurement_callback.load(), .variables = read_variables()}, system_now());
  if (judgement.any_product_or_version) warn_once_of_any_product();
  if (judgement.refusal) print_refusal(*judgement.refusal);
  return judgement;
}

// Nothing is thrown into C.
Judgement judge_guarded(const std::uint8_t* der, std::size_t size) noexcept {
  Judgement failed;
  failed.step = AT_INIT;
  try {
    if (der != nullptr) return judge(BytesView(der, size));
    failed.refusal = Error(Code::certificate_malformed, "der_crt", "NULL");
  } catch (const std::exception&) {
    failed.refusal = Error(Code::internal, "", "");
  } catch (...) {
    failed.refusal = Error(Code::internal, "", "");
  }
  return failed;
}

}  // namespace
}  // namespace ratls::compat

void ra_tls_set_measurement_callback(verify_measurements_cb_t f_cb) {
  ratls::compat::measurement_callback.store(f_cb);
}

int ra_tls_verify_callback_extended_der(uint8_t* der_crt, size_t der_crt_size,
                                        ra_tls_verify_callback_results* results) {
  const auto judgement = ratls::compat::judge_guarded(der_crt, der_crt_size);
  if (results != nullptr) ratls::compat::fill_results(judgement, *results);
  return judgement.refusal ? ratls::compat::return_value(judgement.refusal->code()) : 0;
}

int ra_tls_verify_callback_der(uint8_t* der_crt, size_t der_crt_size) {
  return ra_tls_verify_callback_extended_der(der_crt, der_crt_size, nullptr);
}
