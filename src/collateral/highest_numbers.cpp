// SPDX-License-Identifier: Apache-2.0
#include "collateral/highest_numbers.h"

#include <algorithm>

#include "base/file.h"
#include "base/reader.h"
#include "collateral/parts.h"
#include "tcb/strict_json.h"

namespace ratls::collateral {
namespace {

constexpr std::size_t kMaxFileSize = 1024 * 1024;

// RFC 5280 5.2.3 allows 20 bytes; Intel's fit in one.
std::optional<std::uint64_t> number_of(const x509::Crl& crl) {
  if (!crl.crl_number || crl.crl_number->size() > 8) return std::nullopt;
  std::uint64_t number = 0;
  for (const std::uint8_t byte : *crl.crl_number) number = number << 8U | byte;
  return number;
}

struct Seen {
  std::string what;
  std::uint64_t number;
};

// Those of the parts that are authentic. Who signed the PCK CRL may be known only to the verifier,
// which has the quote's own chain.
std::vector<Seen> numbers_in(const PreparedCollateral::Parts& parts, bool with_evaluation) {
  std::vector<Seen> seen;
  const auto add_crl = [&](const Result<x509::Crl>& crl, std::string_view name) {
    if (!crl) return;
    if (const auto number = number_of(*crl)) {
      seen.push_back({std::string(name) + " " + to_hex(crypto::sha256(crl->issuer)), *number});
    }
  };
  add_crl(parts.root_crl, "root_ca_crl");
  add_crl(parts.pck_crl, "pck_crl");
  if (!with_evaluation) return seen;
  if (parts.tcb_info) {
    const tcb::TcbInfo& info = parts.tcb_info->content;
    const bool sgx = info.id == tcb::TcbInfo::Id::sgx;
    seen.push_back({std::string("tcb_info ") + (sgx ? "sgx " : "tdx ") + to_hex(info.fmspc),
                    info.evaluation_number});
  }
  if (parts.qe_identity) {
    const tcb::QeIdentity& identity = parts.qe_identity->content;
    const bool sgx = identity.id == tcb::QeIdentity::Id::qe;
    seen.push_back(
        {std::string("qe_identity ") + (sgx ? "sgx" : "tdx"), identity.evaluation_number});
  }
  return seen;
}

bool all_authentic(const PreparedCollateral::Parts& parts) {
  return parts.root_crl && parts.pck_crl && parts.pck_crl_signer && parts.tcb_info &&
         parts.qe_identity;
}

constexpr std::string_view kStandard = " standard ";

std::string_view name_of(Baseline baseline) {
  switch (baseline) {
    case Baseline::early:
      return " early ";
    case Baseline::stapled:
      return " stapled ";
    default:
      return kStandard;
  }
}

}  // namespace

// Intel's early baseline is ahead of the standard one, so their numbers are kept apart.
HighestNumbers::HighestNumbers(const std::filesystem::path& dir, const TrustRoot& root,
                               Baseline baseline)
    : path_(dir.empty() ? dir : dir / "highest_numbers.json"),
      baseline_(baseline),
      root_(to_hex(crypto::sha256(root.certificate_der())).substr(0, 16)),
      prefix_(root_ + std::string(name_of(baseline))) {}

void HighestNumbers::read() {
  if (path_.empty()) return;
  const auto content = read_file(path_, kMaxFileSize);
  if (!content) return;
  const auto json =
      tcb::parse_strict_json(as_text(*content), kMaxFileSize, Code::collateral_malformed);
  if (!json || !json->is_object()) return;
  for (const auto& [name, value] : json->items()) {
    if (!value.is_number_unsigned()) continue;
    std::uint64_t& number = numbers_[name];
    number = std::max(number, value.get<std::uint64_t>());
  }
}

bool HighestNumbers::write() const {
  if (path_.empty() || !make_private_folder(path_.parent_path())) return false;
  const std::string text = tcb::StrictJson(numbers_).dump(1) + "\n";
  return replace_file(path_, as_bytes(text), FileMode::secret).has_value();
}

std::uint64_t HighestNumbers::known(const std::string& what) const {
  const auto number = [&](const std::string& name) {
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? 0 : found->second;
  };
  const std::uint64_t own = number(prefix_ + what);
  if (baseline_ != Baseline::stapled) return own;
  return std::max(own, number(root_ + std::string(kStandard) + what));
}

Result<void> HighestNumbers::accept(const PreparedCollateral& collateral) {
  const std::lock_guard lock(*mutex_);
  read();
  for (const Seen& seen : numbers_in(collateral.parts(), baseline_ != Baseline::pinned)) {
    const std::uint64_t highest = known(seen.what);
    if (seen.number >= highest) continue;
    return Error(Code::collateral_superseded, seen.what.substr(0, seen.what.find(' ')),
                 "number " + std::to_string(seen.number) + ", " + std::to_string(highest) +
                     " was seen before");
  }
  if (baseline_ != Baseline::stapled) raise(collateral);
  return {};
}

void HighestNumbers::verified(const PreparedCollateral& collateral) {
  if (baseline_ != Baseline::stapled || collateral.source() != kStapled) return;
  const std::lock_guard lock(*mutex_);
  read();
  raise(collateral);
}

void HighestNumbers::raise(const PreparedCollateral& collateral) {
  if (!all_authentic(collateral.parts())) return;
  bool is_news = false;
  for (const Seen& seen : numbers_in(collateral.parts(), baseline_ != Baseline::pinned)) {
    std::uint64_t& number = numbers_[prefix_ + seen.what];
    is_news = is_news || number < seen.number;
    number = std::max(number, seen.number);
  }
  if (is_news) write();
}

}  // namespace ratls::collateral
