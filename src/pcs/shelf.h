// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ratls/collateral.h"
#include "tcb/qe_identity.h"
#include "tcb/tcb_info.h"

namespace ratls::pcs {

/// Shelf is collateral sorted by what it says it is for. Nothing of it is verified: whoever gets it
/// does that. Thread-safety: const calls from any thread.
class Shelf {
 public:
  struct Item {
    Collateral collateral;  ///< CRLs as DER
    tcb::TcbInfo tcb_info;
    tcb::QeIdentity qe_identity;
    std::string pck_ca;  ///< "platform" or "processor"
    Bytes root;          ///< DER
    UnixTime crl_issued{};
  };

  /// add reads what says which platforms it is for. Errors: those of the parts' parsers,
  /// crl_untrusted for a PCK CRL of no known CA, and config_invalid for another root than that of
  /// what is there already: a service has one CRL of the root.
  Result<void> add(Collateral collateral);

  const std::vector<Item>& items() const noexcept { return items_; }

 private:
  std::vector<Item> items_;
};

}  // namespace ratls::pcs
