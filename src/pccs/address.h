// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ratls/pccs.h"

namespace ratls::pccs {

/// Address is where a service's four documents are asked for. Thread-safety: a value.
class Address {
 public:
  /// parse takes "pcs" or a base address, whose path may end in /sgx/certification/v3 or v4. http
  /// is for this machine only. Errors: policy_invalid.
  static Result<Address> parse(const std::string& text);

  std::string tcb(const CollateralRequest& request, const PccsOptions& options) const;
  std::string qe_identity(const CollateralRequest& request, const PccsOptions& options) const;
  std::string pck_crl(const CollateralRequest& request) const;
  /// root_crl gives the addresses to try; the next one counts when the one before is not found.
  std::vector<std::string> root_crl() const;

 private:
  std::string at(const std::string& tee, const std::string& rest) const;

  std::string origin_;
  std::string folder_;
  std::string version_ = "v4";
  bool is_intel_ = false;
};

}  // namespace ratls::pccs
