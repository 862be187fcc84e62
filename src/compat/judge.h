// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gramine/ra_tls.h>

#include <filesystem>
#include <mutex>
#include <optional>

#include "compat/environment.h"
#include "ratls/collateral.h"
#include "ratls/verifier.h"

namespace ratls::compat {

/// Rules says who is accepted: whom the callback accepts or, without one, whom the variables name.
struct Rules {
  verify_measurements_cb_t callback = nullptr;
  Variables variables;
};

/// Judgement is what became of one certificate. Without a refusal it was accepted.
struct Judgement {
  std::optional<Error> refusal;
  ra_tls_err_loc_t step = AT_NONE;  ///< of the refusal
  std::optional<TcbStatus> tcb_status;
  bool any_product_or_version = false;  ///< a signer was named without one of them
};

/// Judge judges certificates of SGX enclaves by rules and by one file, which names root, collateral
/// and all else that the rules do not. The file is read when it is first needed.
/// Thread-safety: any thread; each call has the rules that it is given.
class Judge {
 public:
  explicit Judge(std::filesystem::path file) : file_(std::move(file)) {}

  /// judge is one verification. The callback is called after all else was accepted.
  /// Blocks: on the sources of collateral.
  Judgement judge(BytesView der, const Rules& rules, UnixTime now);

 private:
  Result<Policy> base();
  Result<std::shared_ptr<CollateralSource>> source(const Verifier& verifier);

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::optional<Policy> base_;
  std::shared_ptr<CollateralSource> source_;
};

}  // namespace ratls::compat
