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

std::vector<Seen> numbers_in(const PreparedCollateral::Parts& parts, bool with_evaluation) {
  std::vector<Seen> seen;
  const auto add_crl = [&](const x509::Crl& crl, std::string_view name) {
    if (const auto number = number_of(crl)) {
      seen.push_back({std::string(name) + " " + to_hex(crypto::sha256(crl.issuer)), *number});
    }
  };
  add_crl(*parts.root_crl, "root_ca_crl");
  add_crl(*parts.pck_crl, "pck_crl");
  if (!with_evaluation) return seen;
  const tcb::TcbInfo& info = parts.tcb_info->content;
  const bool sgx = info.id == tcb::TcbInfo::Id::sgx;
  seen.push_back({std::string("tcb_info ") + (sgx ? "sgx " : "tdx ") + to_hex(info.fmspc),
                  info.evaluation_number});
  seen.push_back({std::string("qe_identity ") + (sgx ? "sgx" : "tdx"),
                  parts.qe_identity->content.evaluation_number});
  return seen;
}

}  // namespace

// Intel's early baseline is ahead of the standard one, so their numbers are kept apart.
HighestNumbers::HighestNumbers(const std::filesystem::path& dir, const TrustRoot& root,
                               Baseline baseline)
    : path_(dir.empty() ? dir : dir / "highest_numbers.json"),
      baseline_(baseline),
      prefix_(to_hex(crypto::sha256(root.certificate_der())).substr(0, 16) +
              (baseline == Baseline::early ? " early " : " standard ")) {}

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

Result<void> HighestNumbers::accept(const PreparedCollateral& collateral) {
  const PreparedCollateral::Parts& parts = collateral.parts();
  if (!parts.root_crl || !parts.pck_crl || !parts.pck_crl_signer || !parts.tcb_info ||
      !parts.qe_identity) {
    return {};
  }
  const std::lock_guard lock(*mutex_);
  read();
  bool is_news = false;
  const std::vector<Seen> all = numbers_in(parts, baseline_ != Baseline::pinned);
  for (const Seen& seen : all) {
    const auto known = numbers_.find(prefix_ + seen.what);
    if (known == numbers_.end() || known->second < seen.number) {
      is_news = true;
    } else if (known->second > seen.number) {
      return Error(Code::collateral_superseded, seen.what.substr(0, seen.what.find(' ')),
                   "number " + std::to_string(seen.number) + ", " + std::to_string(known->second) +
                       " was seen before");
    }
  }
  if (!is_news) return {};
  for (const Seen& seen : all) numbers_[prefix_ + seen.what] = seen.number;
  write();
  return {};
}

}  // namespace ratls::collateral
