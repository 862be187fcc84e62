// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/policy_summary.h"
#include "cli/print.h"
#include "cli/undamaged_sigstruct.h"
#include "crypto/crypto.h"
#include "ratls/verifier.h"

namespace ratls::cli {
namespace {

Result<std::string> summary_of(const std::string& file) {
  RATLS_TRY(Policy policy, load_policy(file));
  // Also reads the certificate that [trust] root names.
  auto verifier = Verifier::create(std::move(policy));
  if (!verifier) return verifier.error().in(file);
  return policy_summary(verifier->policy(),
                        verifier->root().is_intel() ? Root::intel : Root::other);
}

// A name for the entry that needs no escapes in TOML.
std::string entry_name(const std::filesystem::path& file) {
  std::string name = file.stem().string();
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  std::ranges::replace_if(
      name, [&](char c) { return !is_plain(c); }, '_');
  return name;
}

bool is_debug(const policy::Sigstruct& sigstruct) {
  constexpr std::uint8_t kDebug = 0x02;
  return (sigstruct.attributes.bytes[0] & sigstruct.attributes_mask.bytes[0] & kDebug) != 0;
}

Result<std::string> policy_of_sigstruct(const std::string& file) {
  RATLS_TRY(const Bytes content, read_file(file, 2 * policy::kSigstructSize));
  RATLS_TRY(const policy::Sigstruct sigstruct, undamaged_sigstruct(content));
  std::string text = fmt::format(
      "version = 1\n"
      "[[enclave]]\n"
      "name = \"{}\"\n"
      "mr_enclave = \"{}\"\n"
      "# In place of mr_enclave, for all that this signer releases of the product from here on:\n"
      "# mr_signer = \"{}\"\n"
      "# isv_prod_id = {}\n"
      "# min_isv_svn = {}\n",
      entry_name(file), to_hex(sigstruct.mr_enclave), to_hex(crypto::sha256(sigstruct.modulus)),
      sigstruct.isv_prod_id, sigstruct.isv_svn);
  if (is_debug(sigstruct)) {
    text += "# It is signed for debug mode only, which no policy accepts without [dangerous].\n";
  }
  text +=
      "# Set the current number (ratls verify shows it as evaluation), so that no old one passes:\n"
      "# [tcb]\n"
      "# min_evaluation_number = 0\n";
  // Zeros in place of a measurement, say, are no policy.
  RATLS_TRY([[maybe_unused]] const Policy parsed, parse_policy(text, "."));
  return text;
}

}  // namespace

int policy_from_sigstruct(const PolicyFromSigstructArguments& arguments) {
  const auto text = policy_of_sigstruct(arguments.file);
  if (!text) return print_error(text.error().in(arguments.file));
  if (print(*text)) return 0;
  return print_error(Error(Code::file_unwritable, "stdout", ""));
}

int policy_check(const PolicyCheckArguments& arguments) {
  const auto summary = summary_of(arguments.file);
  if (!summary) return print_error(summary.error());
  if (print(*summary)) return 0;
  return print_error(Error(Code::file_unwritable, "stdout", ""));
}

}  // namespace ratls::cli
