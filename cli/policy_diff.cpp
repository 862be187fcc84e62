// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "base/reader.h"
#include "cli/commands.h"
#include "cli/policy_summary.h"
#include "cli/print.h"
#include "cli/undamaged_sigstruct.h"
#include "crypto/crypto.h"
#include "policy/fields.h"
#include "ratls/verifier.h"

namespace ratls::cli {
namespace {

using Json = nlohmann::ordered_json;
using policy::Fields;

enum class Kind { policy, manifest, sigstruct };

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::policy:
      return "policy";
    case Kind::manifest:
      return "manifest";
    case Kind::sigstruct:
      return "sigstruct";
  }
  return "";
}

struct Document {
  Kind kind;
  Bytes bytes;
  Fields fields;
  std::vector<std::string> warnings;  ///< those of `policy check`, a line each
};

struct Change {
  std::string name;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

struct Difference {
  Kind kind;
  bool identical = false;  ///< byte for byte
  std::vector<Change> changes;
  std::vector<std::string> warnings;  ///< of the new one that the old one has not
};

// No text begins so.
bool is_sigstruct(const std::filesystem::path& file, BytesView bytes) {
  return file.extension() == ".sig" || (bytes.size() > 1 && bytes[0] == 6 && bytes[1] == 0);
}

Result<Fields> sigstruct_fields(BytesView bytes) {
  RATLS_TRY(const policy::Sigstruct sigstruct, undamaged_sigstruct(bytes));
  return Fields{{"attributes", to_hex(sigstruct.attributes)},
                {"attributes_mask", to_hex(sigstruct.attributes_mask)},
                {"cet_attributes", to_hex(sigstruct.cet_attributes)},
                {"cet_attributes_mask", to_hex(sigstruct.cet_attributes_mask)},
                {"date", fmt::format("{:08x}", sigstruct.date)},
                {"isv_ext_prod_id", to_hex(sigstruct.isv_ext_prod_id)},
                {"isv_family_id", to_hex(sigstruct.isv_family_id)},
                {"isv_prod_id", fmt::format("{}", sigstruct.isv_prod_id)},
                {"isv_svn", fmt::format("{}", sigstruct.isv_svn)},
                {"misc_select", fmt::format("{:08x}", sigstruct.misc_select)},
                {"misc_select_mask", fmt::format("{:08x}", sigstruct.misc_select_mask)},
                {"mr_enclave", to_hex(sigstruct.mr_enclave)},
                {"mr_signer", to_hex(crypto::sha256(sigstruct.modulus))},
                {"sw_defined", fmt::format("{:08x}", sigstruct.sw_defined)},
                {"vendor", fmt::format("{:08x}", sigstruct.vendor)}};
}

// Every manifest has one of Gramine's tables, and no policy has.
bool is_manifest(const toml::TomlValue& document) {
  constexpr std::array<std::string_view, 5> kTables{"fs", "libos", "loader", "sgx", "sys"};
  return std::ranges::any_of(std::get<toml::TomlValue::Table>(document.content),
                             [&](const toml::TomlMember& member) {
                               return std::ranges::find(kTables, member.key) != kTables.end();
                             });
}

// Must be a policy that would be used, and what its files hold counts as part of it.
Result<void> add_policy(const std::filesystem::path& file, Document& out) {
  RATLS_TRY(Policy parsed, parse_policy(as_text(out.bytes), file.parent_path()));
  RATLS_TRY(const Verifier verifier, Verifier::create(std::move(parsed)));
  const Policy& policy = verifier.policy();
  const auto add_content = [&](const char* name, const std::optional<std::string>& content) {
    if (content) out.fields[name] = to_hex(crypto::sha256(as_bytes(*content)));
  };
  add_content("collateral.ca (SHA-256 of the file)", policy.collateral.ca_pem);
  add_content("trust.root (SHA-256 of the file)", policy.root_pem);
  std::istringstream warnings(
      policy_warnings(policy, verifier.root().is_intel() ? Root::intel : Root::other));
  for (std::string line; std::getline(warnings, line);) out.warnings.push_back(line);
  return {};
}

Result<Document> read_document(const std::filesystem::path& file) {
  Document out{.kind = Kind::sigstruct, .bytes = {}, .fields = {}, .warnings = {}};
  RATLS_TRY(out.bytes, read_file(file, policy::kMaxDocumentSize));
  if (is_sigstruct(file, out.bytes)) {
    RATLS_TRY(out.fields, sigstruct_fields(out.bytes));
    return out;
  }
  RATLS_TRY(const toml::TomlValue document,
            toml::parse_toml(as_text(out.bytes), Code::policy_invalid, policy::kMaxDocumentSize));
  RATLS_TRY(out.fields, policy::fields_of(document));
  out.kind = is_manifest(document) ? Kind::manifest : Kind::policy;
  if (out.kind == Kind::policy) RATLS_CHECK(add_policy(file, out));
  return out;
}

Result<Document> read_named(const std::string& file) {
  auto document = read_document(file);
  if (!document) return document.error().in(file);
  return document;
}

std::vector<Change> changes_between(const Fields& before, const Fields& after) {
  std::vector<Change> changes;
  for (const auto& [name, value] : before) {
    const auto found = after.find(name);
    if (found == after.end()) {
      changes.push_back({name, value, std::nullopt});
    } else if (found->second != value) {
      changes.push_back({name, value, found->second});
    }
  }
  for (const auto& [name, value] : after) {
    if (!before.contains(name)) changes.push_back({name, std::nullopt, value});
  }
  std::ranges::sort(changes, {}, &Change::name);
  return changes;
}

Result<Difference> difference_of(const PolicyDiffArguments& arguments) {
  RATLS_TRY(const Document before, read_named(arguments.old_file));
  RATLS_TRY(const Document after, read_named(arguments.new_file));
  if (before.kind != after.kind) {
    return Error(Code::usage, "policy diff",
                 fmt::format("OLD is a {}, NEW a {}", name_of(before.kind), name_of(after.kind)));
  }
  Difference out{.kind = before.kind,
                 .identical = before.bytes == after.bytes,
                 .changes = changes_between(before.fields, after.fields),
                 .warnings = {}};
  std::ranges::copy_if(
      after.warnings, std::back_inserter(out.warnings), [&](const std::string& warning) {
        return std::ranges::find(before.warnings, warning) == before.warnings.end();
      });
  return out;
}

std::string difference_text(const Difference& difference) {
  std::string out;
  for (const Change& change : difference.changes) {
    const std::string name = printable(change.name);
    if (!change.before) {
      out += fmt::format("added: {}: {}\n", name, printable(*change.after));
    } else if (!change.after) {
      out += fmt::format("removed: {}: {}\n", name, printable(*change.before));
    } else {
      out += fmt::format("changed: {}: {} -> {}\n", name, printable(*change.before),
                         printable(*change.after));
    }
  }
  for (const std::string& warning : difference.warnings) out += "new " + warning + "\n";
  if (!difference.changes.empty()) return out;
  if (difference.identical) return "The files are the same.\n";
  out = "Names and values are the same; their order or what is between them is not.\n";
  if (difference.kind == Kind::manifest) {
    out += "Gramine measures the manifest as it is written: MRENCLAVE differs.\n";
  }
  return out;
}

Json optional_json(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

std::string difference_json(const Difference& difference) {
  Json changes = Json::array();
  for (const Change& change : difference.changes) {
    changes.push_back({{"name", change.name},
                       {"old", optional_json(change.before)},
                       {"new", optional_json(change.after)}});
  }
  const Json json{{"kind", name_of(difference.kind)},
                  {"identical", difference.identical},
                  {"changes", std::move(changes)},
                  {"new_warnings", difference.warnings}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

int policy_diff(const PolicyDiffArguments& arguments) {
  const auto difference = difference_of(arguments);
  if (!difference) return print_error(difference.error());
  if (print(arguments.json ? difference_json(*difference) : difference_text(*difference))) return 0;
  return print_error(Error(Code::file_unwritable, "stdout", ""));
}

}  // namespace ratls::cli
