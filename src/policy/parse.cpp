// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <span>

#include "base/file.h"
#include "base/reader.h"
#include "policy/rules.h"
#include "ratls/policy.h"
#include "toml/table_reader.h"

namespace ratls {
namespace policy {
namespace {

using toml::PlacedText;
using toml::printable;
using toml::TableReader;
using toml::TomlMember;
using toml::TomlValue;

constexpr std::size_t kMaxRootSize = 64 * 1024;
constexpr std::uint32_t kMaxU16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint32_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

// What is a mistake in a call elsewhere is a mistake in the policy here.
Error as_policy_error(const Error& error) {
  return Error(Code::policy_invalid, error.where(), error.detail());
}

Error refused(const PlacedText& text, std::string_view wanted) {
  return Error(Code::policy_invalid, text.where,
               std::string(wanted) + ", got \"" + printable(text.text) + "\"");
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

template <class Fixed>
Result<Fixed> parse_fixed(const PlacedText& text) {
  auto parsed = parse_fixed_hex<Fixed>(text.text, text.where);
  if (!parsed) return as_policy_error(parsed.error());
  return *parsed;
}

Result<void> read_to(const TableReader& table, std::string_view key, bool& out) {
  RATLS_TRY(const auto value, table.boolean(key));
  if (value) out = *value;
  return {};
}

Result<void> read_to(const TableReader& table, std::string_view key, std::chrono::seconds& out) {
  RATLS_TRY(const auto value, table.text(key));
  if (!value) return {};
  auto parsed = parse_duration(value->text, value->where);
  if (!parsed) return as_policy_error(parsed.error());
  out = *parsed;
  return {};
}

Result<void> read_to(const TableReader& table, std::string_view key,
                     std::optional<std::uint16_t>& out) {
  RATLS_TRY(const auto value, table.number(key, kMaxU16));
  if (value) out = static_cast<std::uint16_t>(*value);
  return {};
}

template <std::size_t N, class Tag>
Result<void> read_to(const TableReader& table, std::string_view key,
                     std::optional<FixedBytes<N, Tag>>& out) {
  RATLS_TRY(const auto value, table.text(key));
  if (!value) return {};
  RATLS_TRY(out, parse_fixed<FixedBytes<N, Tag>>(*value));
  return {};
}

using TextRule = Result<void> (*)(std::string_view, std::string_view);
enum class Spelling { as_written, lower };

Result<std::optional<std::vector<std::string>>> read_texts(const TableReader& table,
                                                           std::string_view key, TextRule rule,
                                                           Spelling spelling) {
  RATLS_TRY(const auto values, table.texts(key));
  if (!values) return std::optional<std::vector<std::string>>();
  std::vector<std::string> out;
  for (const PlacedText& value : *values) {
    out.push_back(spelling == Spelling::lower ? lower_case(value.text) : value.text);
    RATLS_CHECK(rule(out.back(), value.where));
  }
  return std::optional(std::move(out));
}

Result<EnclaveIdentity> read_enclave(const TomlValue& value) {
  RATLS_TRY(const TableReader table,
            TableReader::open(value, "enclave",
                              {"name", "mr_enclave", "mr_signer", "isv_prod_id", "min_isv_svn",
                               "isv_family_id", "isv_ext_prod_id", "config_id", "min_config_svn",
                               "attributes", "attributes_mask", "misc_select", "misc_select_mask"},
                              Code::policy_invalid));
  EnclaveIdentity identity;
  RATLS_TRY(auto name, table.text("name"));
  if (name) identity.name = std::move(name->text);
  RATLS_CHECK(read_to(table, "mr_enclave", identity.mr_enclave));
  RATLS_CHECK(read_to(table, "mr_signer", identity.mr_signer));
  RATLS_CHECK(read_to(table, "isv_prod_id", identity.isv_prod_id));
  RATLS_CHECK(read_to(table, "min_isv_svn", identity.min_isv_svn));
  RATLS_CHECK(read_to(table, "isv_family_id", identity.isv_family_id));
  RATLS_CHECK(read_to(table, "isv_ext_prod_id", identity.isv_ext_prod_id));
  RATLS_CHECK(read_to(table, "config_id", identity.config_id));
  RATLS_CHECK(read_to(table, "min_config_svn", identity.min_config_svn));
  RATLS_CHECK(read_to(table, "attributes", identity.attributes));
  RATLS_CHECK(read_to(table, "attributes_mask", identity.attributes_mask));
  RATLS_CHECK(read_to(table, "misc_select", identity.misc_select));
  RATLS_CHECK(read_to(table, "misc_select_mask", identity.misc_select_mask));
  RATLS_CHECK(check_enclave(identity, "line " + std::to_string(value.line) + ": enclave"));
  return identity;
}

Result<TdIdentity> read_td(const TomlValue& value, UnmeasuredGuest unmeasured) {
  RATLS_TRY(const TableReader table,
            TableReader::open(value, "td",
                              {"name", "mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mr_config_id",
                               "mr_owner", "mr_owner_config", "sept_ve_disable"},
                              Code::policy_invalid));
  TdIdentity identity;
  RATLS_TRY(auto name, table.text("name"));
  if (name) identity.name = std::move(name->text);
  RATLS_CHECK(read_to(table, "mr_td", identity.mr_td));
  RATLS_CHECK(read_to(table, "rtmr0", identity.rtmr[0]));
  RATLS_CHECK(read_to(table, "rtmr1", identity.rtmr[1]));
  RATLS_CHECK(read_to(table, "rtmr2", identity.rtmr[2]));
  RATLS_CHECK(read_to(table, "rtmr3", identity.rtmr[3]));
  RATLS_CHECK(read_to(table, "mr_config_id", identity.mr_config_id));
  RATLS_CHECK(read_to(table, "mr_owner", identity.mr_owner));
  RATLS_CHECK(read_to(table, "mr_owner_config", identity.mr_owner_config));
  RATLS_CHECK(read_to(table, "sept_ve_disable", identity.sept_ve_disable));
  RATLS_CHECK(check_td(identity, unmeasured, "line " + std::to_string(value.line) + ": td"));
  return identity;
}

// The entries of an array of tables, none when it is missing.
Result<std::span<const TomlValue>> read_entries(const TableReader& root, std::string_view key) {
  const TomlValue* value = root.find(key);
  if (value == nullptr) return std::span<const TomlValue>();
  const auto* entries = std::get_if<TomlValue::Array>(&value->content);
  if (entries == nullptr) {
    return root.refuse(key, "entries are needed, each under its own [[" + std::string(key) + "]]");
  }
  return std::span<const TomlValue>(*entries);
}

Result<void> read_enclaves(const TableReader& root, std::vector<EnclaveIdentity>& out) {
  RATLS_TRY(const auto entries, read_entries(root, "enclave"));
  for (const TomlValue& entry : entries) {
    RATLS_TRY(EnclaveIdentity identity, read_enclave(entry));
    out.push_back(std::move(identity));
  }
  return {};
}

Result<void> read_tds(const TableReader& root, UnmeasuredGuest unmeasured,
                      std::vector<TdIdentity>& out) {
  RATLS_TRY(const auto entries, read_entries(root, "td"));
  for (const TomlValue& entry : entries) {
    RATLS_TRY(TdIdentity identity, read_td(entry, unmeasured));
    out.push_back(std::move(identity));
  }
  return {};
}

Result<TcbStatus> read_status(const PlacedText& word) {
  const std::optional<TcbStatus> status = parse_tcb_status(word.text);
  if (!status) return refused(word, "one of Intel's status words such as UpToDate is needed");
  RATLS_CHECK(check_accepted_status(*status, word.where));
  return *status;
}

Result<void> read_tcb(const TableReader& root, TcbPolicy& tcb) {
  RATLS_TRY(
      const TableReader table,
      root.table("tcb", {"accept", "accept_advisories", "reject_advisories",
                         "min_evaluation_number", "out_of_date_grace", "max_collateral_age"}));
  RATLS_TRY(const auto words, table.texts("accept"));
  if (words) {
    tcb.accept.clear();
    for (const PlacedText& word : *words) {
      RATLS_TRY(const TcbStatus status, read_status(word));
      tcb.accept.push_back(status);
    }
  }
  RATLS_TRY(tcb.accept_advisories,
            read_texts(table, "accept_advisories", check_advisory, Spelling::as_written));
  RATLS_TRY(auto rejected,
            read_texts(table, "reject_advisories", check_advisory, Spelling::as_written));
  if (rejected) tcb.reject_advisories = std::move(*rejected);
  RATLS_TRY(const auto evaluation, table.number("min_evaluation_number", kMaxU32));
  if (evaluation) tcb.min_evaluation_number = *evaluation;
  RATLS_CHECK(read_to(table, "out_of_date_grace", tcb.out_of_date_grace));
  return read_to(table, "max_collateral_age", tcb.max_collateral_age);
}

Result<void> read_platform(const TableReader& root, PlatformPolicy& platform) {
  RATLS_TRY(const TableReader table, root.table("platform", {"fmspc", "ppid", "pck_ca"}));
  RATLS_TRY(platform.fmspc, read_texts(table, "fmspc", check_fmspc, Spelling::lower));
  RATLS_TRY(platform.ppid, read_texts(table, "ppid", check_ppid, Spelling::lower));
  RATLS_TRY(platform.pck_ca, read_texts(table, "pck_ca", check_pck_ca, Spelling::as_written));
  return {};
}

Result<void> read_collateral(const TableReader& root, const std::filesystem::path& base_dir,
                             CollateralPolicy& collateral) {
  RATLS_TRY(const TableReader table,
            root.table("collateral", {"sources", "update", "evaluation_number", "ca"}));
  RATLS_TRY(auto sources, read_texts(table, "sources", check_source, Spelling::as_written));
  if (sources) collateral.sources = std::move(*sources);
  if (collateral.sources.empty()) {
    return table.refuse("sources", "at least one source is needed");
  }
  RATLS_TRY(const auto ca, table.text("ca"));
  if (ca) {
    auto pem = read_file(base_dir / ca->text, kMaxRootSize);
    if (!pem) return pem.error().in(ca->where);
    collateral.ca_pem = std::string(as_text(*pem));
  }
  RATLS_TRY(collateral.evaluation_number, table.number("evaluation_number", kMaxU32));
  RATLS_TRY(const auto update, table.text("update"));
  if (update && collateral.evaluation_number) {
    return table.refuse("evaluation_number", "it excludes update");
  }
  if (!update) return {};
  if (update->text == "early") {
    collateral.update = CollateralPolicy::Update::early;
  } else if (update->text != "standard") {
    return refused(*update, "\"standard\" or \"early\" is needed");
  }
  return {};
}

Result<void> read_session(const TableReader& root, SessionPolicy& session) {
  RATLS_TRY(const TableReader table,
            root.table("session", {"fresh", "max_certificate_lifetime", "check_name",
                                   "require_attested_end", "server_keys", "ca"}));
  if (table.find("ca") != nullptr) {
    return table.refuse("ca", "a chain to a CA cannot be demanded by this version");
  }
  RATLS_CHECK(read_to(table, "fresh", session.fresh));
  RATLS_CHECK(read_to(table, "max_certificate_lifetime", session.max_certificate_lifetime));
  RATLS_CHECK(read_to(table, "check_name", session.check_name));
  RATLS_CHECK(read_to(table, "require_attested_end", session.require_attested_end));
  RATLS_TRY(const auto keys, table.texts("server_keys"));
  if (!keys) return {};
  session.server_keys.emplace();
  for (const PlacedText& key : *keys) {
    RATLS_TRY(auto hash, parse_fixed<FixedBytes<32, SpkiHashTag>>(key));
    session.server_keys->push_back(hash);
  }
  return {};
}

Result<void> read_trust(const TableReader& root, const std::filesystem::path& base_dir,
                        std::optional<std::string>& root_pem) {
  RATLS_TRY(const TableReader table, root.table("trust", {"root"}));
  RATLS_TRY(const auto name, table.text("root"));
  if (!name || name->text == "intel") return {};
  if (name->text.empty()) return refused(*name, "\"intel\" or a path is needed");
  auto pem = read_file(base_dir / name->text, kMaxRootSize);
  if (!pem) return pem.error().in(name->where);
  root_pem = std::string(as_text(*pem));
  return {};
}

Result<void> read_dangerous(const TableReader& root, Policy& policy) {
  RATLS_TRY(const TableReader table,
            root.table("dangerous", {"allow_debug", "allow_unmeasured_guest"}));
  RATLS_CHECK(read_to(table, "allow_debug", policy.dangerous_allow_debug));
  return read_to(table, "allow_unmeasured_guest", policy.dangerous_allow_unmeasured_guest);
}

// Before all other keys, because those of another version are not known here.
Result<void> check_version(const TomlValue& document) {
  const auto* members = std::get_if<TomlValue::Table>(&document.content);
  const auto found = std::ranges::find(*members, "version", &TomlMember::key);
  if (found == members->end()) {
    return Error(Code::policy_invalid, "version", "version = 1 is needed");
  }
  const auto* number = std::get_if<std::int64_t>(&found->value.content);
  if (number == nullptr || *number != 1) {
    return Error(Code::policy_invalid, "line " + std::to_string(found->value.line) + ": version",
                 "only version = 1 is supported");
  }
  return {};
}

}  // namespace
}  // namespace policy

namespace {

Result<Policy> read_policy(std::string_view text, const std::filesystem::path& base_dir,
                           Policy policy) {
  RATLS_TRY(const toml::TomlValue document, toml::parse_toml(text, Code::policy_invalid));
  RATLS_CHECK(policy::check_version(document));
  RATLS_TRY(const toml::TableReader root,
            toml::TableReader::open(document, "",
                                    {"version", "enclave", "td", "tcb", "platform", "collateral",
                                     "session", "trust", "dangerous"},
                                    Code::policy_invalid));
  policy.base_dir = base_dir.empty() ? "." : base_dir;
  // First, because it says what a [[td]] entry may leave out.
  RATLS_CHECK(policy::read_dangerous(root, policy));
  RATLS_CHECK(policy::read_enclaves(root, policy.enclaves));
  RATLS_CHECK(policy::read_tds(root, policy::unmeasured_guest(policy), policy.tds));
  RATLS_CHECK(policy::read_tcb(root, policy.tcb));
  RATLS_CHECK(policy::read_platform(root, policy.platform));
  RATLS_CHECK(policy::read_collateral(root, policy.base_dir, policy.collateral));
  RATLS_CHECK(policy::read_session(root, policy.session));
  RATLS_CHECK(policy::read_trust(root, policy.base_dir, policy.root_pem));
  return policy;
}

Result<Policy> read_policy_base(std::string_view text, const std::filesystem::path& base_dir,
                                Policy defaults) {
  RATLS_TRY(Policy policy, read_policy(text, base_dir, std::move(defaults)));
  if (policy.enclaves.empty() && policy.tds.empty()) return policy;
  return Error(
      Code::policy_invalid, "policy",
      "a base has no [[enclave]] and no [[td]] entries: what is accepted is said elsewhere");
}

// parse(text, folder) reads the content.
template <class Parse>
Result<Policy> load(const std::filesystem::path& path, Parse parse) {
  RATLS_TRY(const Bytes content, read_file(path, toml::kMaxTomlSize));
  auto parsed = parse(as_text(content), path.parent_path());
  if (!parsed) return parsed.error().in(path.string());
  return parsed;
}

}  // namespace

Result<Policy> parse_policy(std::string_view text, const std::filesystem::path& base_dir) {
  RATLS_TRY(Policy policy, read_policy(text, base_dir, {}));
  RATLS_CHECK(check_policy(policy));
  return policy;
}

Result<Policy> load_policy(const std::filesystem::path& path) { return load(path, parse_policy); }

Result<Policy> load_policy_base(const std::filesystem::path& path, Policy defaults) {
  return load(path, [&](std::string_view toml, const std::filesystem::path& base_dir) {
    return read_policy_base(toml, base_dir, std::move(defaults));
  });
}

}  // namespace ratls
