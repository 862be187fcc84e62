// SPDX-License-Identifier: Apache-2.0
#include "verifier/steps.h"

namespace ratls::verifier {
namespace {

constexpr std::size_t kModuleSvn = 0;
constexpr std::size_t kModuleVersion = 1;

bool all_zero(BytesView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

/// Evaluation is what the numbers of one TDX module, or of an SGX platform, come to.
struct Evaluation {
  TcbStatus joined = TcbStatus::not_supported;
  TcbStatus platform = TcbStatus::not_supported;
  std::optional<TcbStatus> module;
  std::optional<UnixTime> platform_date;
  std::optional<UnixTime> module_date;
  std::vector<std::string> advisories;
};

void add(std::vector<std::string>& all, const std::vector<std::string>& some) {
  all.insert(all.end(), some.begin(), some.end());
}

// The module's part: its version names the identity, its SVN the level (Intel QVL, EvaluateTcb).
void match_module(const tcb::TcbInfo& info, const tcb::Components& tee_tcb_svn, Evaluation& out) {
  if (tee_tcb_svn[kModuleVersion] == 0) return;
  out.module = TcbStatus::not_supported;
  const tcb::TdxModuleIdentity* identity = tcb::find_module(info, tee_tcb_svn[kModuleVersion]);
  const tcb::SvnLevel* level =
      identity == nullptr ? nullptr : tcb::match_level(identity->levels, tee_tcb_svn[kModuleSvn]);
  if (level == nullptr) return;
  out.module = level->status;
  out.module_date = level->date;
  add(out.advisories, level->advisories);
}

Evaluation evaluate(const tcb::TcbInfo& info, const tcb::PlatformNumbers& numbers,
                    const tcb::SvnLevel* qe) {
  Evaluation out;
  if (const tcb::TcbLevel* level = tcb::match_level(info, numbers)) {
    out.platform = level->status;
    out.platform_date = level->date;
    add(out.advisories, level->advisories);
  }
  if (numbers.tee_tcb_svn) match_module(info, *numbers.tee_tcb_svn, out);
  if (qe != nullptr) add(out.advisories, qe->advisories);
  out.joined = tcb::converge(out.platform, out.module.value_or(TcbStatus::up_to_date));
  out.joined = tcb::converge(out.joined, qe != nullptr ? qe->status : TcbStatus::not_supported);
  return out;
}

void sort_and_join(std::vector<std::string>& words) {
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
}

}  // namespace

// Intel QVL, QuoteVerifier 4.1.2.5.12: with a module version above 0 the identity of that version
// takes the place of the one for all.
Result<void> check_tdx_module(const TdReport& td, const tcb::TcbInfo& info) {
  const auto mismatch = [](std::string_view field, std::string detail) {
    return Error(Code::tdx_module_mismatch, "report." + std::string(field), std::move(detail));
  };
  const std::uint8_t version = td.tee_tcb_svn.bytes[kModuleVersion];
  const tcb::TdxModuleIdentity* identity = tcb::find_module(info, version);
  if (version > 0 && identity == nullptr) {
    return mismatch("tee_tcb_svn[1]", "module version " + std::to_string(version) +
                                          " is not among those in the TCB info");
  }
  if (!info.tdx_module) return mismatch("tee_tcb_svn", "the TCB info names no TDX module");
  const tcb::TdxModule& module = version > 0 ? identity->module : *info.tdx_module;
  if (!std::ranges::equal(td.mr_signer_seam.bytes, module.mr_signer.bytes)) {
    return mismatch("mr_signer_seam", "got " + to_hex(td.mr_signer_seam) + ", published is " +
                                          to_hex(module.mr_signer));
  }
  if (!all_zero(td.seam_attributes.bytes) || !all_zero(module.attributes.bytes)) {
    return mismatch("seam_attributes", "got " + to_hex(td.seam_attributes) + ", published is " +
                                           to_hex(module.attributes) + "; both must be zero");
  }
  return {};
}

// The numbers are those of the PCK certificate, which Intel signed; the CPUSVN in the quote is the
// platform's own word. TEE_TCB_SVN is the TDX module's, which the TD report vouches for.
void match_tcb(const Quote& quote, const PckChain& chain, const PreparedCollateral::Parts& parts,
               Report& report) {
  const tcb::TcbInfo& info = parts.tcb_info->content;
  const tcb::SvnLevel* qe =
      tcb::match_level(parts.qe_identity->content.levels, quote.signature.qe_report.isv_svn);
  tcb::PlatformNumbers numbers{.sgx_components = chain.extension.tcb_components,
                               .pce_svn = chain.extension.pce_svn,
                               .tee_tcb_svn = {}};
  const TdReport* td = quote.td();
  if (td != nullptr) numbers.tee_tcb_svn = td->tee_tcb_svn.bytes;
  Evaluation result = evaluate(info, numbers, qe);
  if (td != nullptr && td->tee_tcb_svn2) {
    numbers.tee_tcb_svn = td->tee_tcb_svn2->bytes;
    result.joined = tcb::relaunch_status(result.joined, evaluate(info, numbers, qe).joined);
  }
  report.tcb_status = result.joined;
  report.platform_tcb_status = result.platform;
  report.module_tcb_status = result.module;
  report.qe_tcb_status = qe != nullptr ? qe->status : TcbStatus::not_supported;
  report.tcb_date = result.platform_date;
  report.module_tcb_date = result.module_date;
  if (qe != nullptr) report.qe_tcb_date = qe->date;
  sort_and_join(result.advisories);
  report.advisories = std::move(result.advisories);
}

}  // namespace ratls::verifier
