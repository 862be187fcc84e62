// SPDX-License-Identifier: Apache-2.0
#include "config/settings.h"

#include <limits>
#include <type_traits>

#include "base/file.h"
#include "base/reader.h"
#include "config/endpoint.h"
#include "server/app_supervisor.h"
#include "server/upstream.h"
#include "server/workers.h"
#include "toml/table_reader.h"

namespace ratls::config {
namespace {

using toml::PlacedText;
using toml::TableReader;

constexpr std::uint32_t kMaxNumber = std::numeric_limits<std::uint32_t>::max();

// What is a mistake in a call elsewhere is one in the file here.
Error in_file(const Error& error, const std::string& where) {
  return Error(Code::config_invalid, where, error.detail());
}

Error wanted(const PlacedText& text, std::string_view what) {
  return Error(Code::config_invalid, text.where,
               std::string(what) + " is needed, got \"" + toml::printable(text.text) + "\"");
}

Result<void> read_to(const TableReader& table, std::string_view key, bool& out) {
  RATLS_TRY(const auto value, table.boolean(key));
  if (value) out = *value;
  return {};
}

Result<void> read_to(const TableReader& table, std::string_view key, std::chrono::seconds& out) {
  RATLS_TRY(const auto value, table.text(key));
  if (!value) return {};
  const auto parsed = parse_duration(value->text, value->where);
  if (!parsed) return in_file(parsed.error(), value->where);
  out = *parsed;
  return {};
}

template <class Number>
Result<void> read_to(const TableReader& table, std::string_view key, Number& out) {
  RATLS_TRY(const auto value, table.number(key, kMaxNumber));
  if (value) out = *value;
  return {};
}

Result<void> read_to(const TableReader& table, std::string_view key,
                     std::vector<std::string>& out) {
  RATLS_TRY(const auto values, table.texts(key));
  if (!values) return {};
  out.clear();
  for (const PlacedText& value : *values) out.push_back(value.text);
  return {};
}

Result<std::optional<PlacedText>> some_text(const TableReader& table, std::string_view key) {
  RATLS_TRY(auto value, table.text(key));
  if (value && value->text.empty()) return table.refuse(key, "the text is empty");
  return value;
}

/// Word is one of the words that a key allows.
template <class Value>
struct Word {
  std::string_view text;
  Value value;
};

template <class Value>
Result<void> read_word(const TableReader& table, std::string_view key,
                       std::type_identity_t<std::initializer_list<Word<Value>>> words, Value& out) {
  RATLS_TRY(const auto given, table.text(key));
  if (!given) return {};
  std::string known;
  for (const Word<Value>& word : words) {
    if (word.text == given->text) {
      out = word.value;
      return {};
    }
    known += (known.empty() ? "\"" : " or \"") + std::string(word.text) + "\"";
  }
  return wanted(*given, known);
}

/// read_option reads one of the server's options; its range is the server's to check.
template <class Value>
Result<void> read_option(const TableReader& table, std::string_view key, ServerOptions& options,
                         Value ServerOptions::*option) {
  RATLS_CHECK(read_to(table, key, options.*option));
  const auto checked = server::check_options(options);
  if (checked) return {};
  return table.refuse(key, checked.error().detail());
}

/// read_listen leaves out as it is when there is none.
Result<void> read_listen(const TableReader& table, std::string& out) {
  RATLS_TRY(const auto listen, table.text("listen"));
  if (!listen) return {};
  const auto endpoint = parse_endpoint(listen->text, listen->where);
  if (!endpoint) return in_file(endpoint.error(), listen->where);
  out = listen->text;
  return {};
}

bool is_tee(std::string_view name) {
  for (const std::string_view kind : {"gramine:", "tdx:"}) {
    if (name.starts_with(kind) && name.size() > kind.size()) return true;
  }
  return name == "auto" || name == "gramine" || name == "tdx" || name == "sim";
}

Result<void> read_tee(const TableReader& root, const std::filesystem::path& base_dir,
                      TeeSettings& tee) {
  RATLS_TRY(const auto name, some_text(root, "tee"));
  if (name && !is_tee(name->text)) {
    return wanted(*name, "auto, gramine, gramine:DIR, tdx, tdx:DIR or sim");
  }
  if (name) tee.tee = name->text;
  RATLS_TRY(const auto dir, some_text(root, "sim"));
  if (!dir) return {};
  if (tee.tee != "sim") return root.refuse("sim", "it goes with tee = \"sim\" only");
  tee.sim_dir = base_dir / dir->text;
  return {};
}

Result<void> read_staple(const TableReader& root, const std::filesystem::path& base_dir,
                         std::string& staple) {
  RATLS_TRY(const auto source, some_text(root, "staple"));
  if (!source) return {};
  const bool is_file = source->text != "pcs" && source->text.find("://") == std::string::npos;
  staple = is_file ? (base_dir / source->text).string() : source->text;
  return {};
}

Result<void> check_certificate(const TableReader& table, std::string_view key,
                               const CertificateOptions& options) {
  const auto checked = check_certificate_options(options);
  if (checked) return {};
  return table.refuse(key, checked.error().detail());
}

Result<void> read_certificate(const TableReader& root, CertificateOptions& certificate) {
  RATLS_TRY(const TableReader table,
            root.table("certificate", {"lifetime", "names", "key_type", "legacy_extension"}));
  RATLS_CHECK(read_to(table, "lifetime", certificate.lifetime));
  RATLS_CHECK(check_certificate(table, "lifetime", certificate));
  RATLS_CHECK(read_to(table, "names", certificate.names));
  RATLS_CHECK(check_certificate(table, "names", certificate));
  RATLS_CHECK(read_word(table, "key_type",
                        {{"p256", CertificateKey::p256}, {"p384", CertificateKey::p384}},
                        certificate.key));
  RATLS_CHECK(read_to(table, "legacy_extension", certificate.legacy_extension));
  return {};
}

Result<void> read_app(const TableReader& root, const std::filesystem::path& base_dir,
                      Settings& settings) {
  RATLS_TRY(const TableReader table,
            root.table("app", {"upstream", "command", "workers", "start_timeout"}));
  RATLS_TRY(const auto upstream, some_text(table, "upstream"));
  if (upstream) {
    constexpr std::string_view kUnix = "unix:";
    settings.upstream = upstream->text;
    if (settings.upstream.starts_with(kUnix)) {
      settings.upstream = "unix:" + (base_dir / settings.upstream.substr(kUnix.size())).string();
    }
    const auto address = server::UpstreamAddress::parse(settings.upstream);
    if (!address) return in_file(address.error(), upstream->where);
  }
  RATLS_CHECK(read_to(table, "command", settings.command));
  RATLS_TRY(settings.workers, table.number("workers", kMaxNumber));
  RATLS_CHECK(read_to(table, "start_timeout", settings.start_timeout));
  if (table.find("command") == nullptr) return {};
  const auto checked = server::check_app(app_options(settings), !settings.upstream.empty());
  if (checked) return {};
  return table.refuse(checked.error().where(), checked.error().detail());
}

Result<void> read_limits(const TableReader& root, ServerOptions& options) {
  RATLS_TRY(const TableReader table,
            root.table("limits",
                       {"header_bytes", "body_bytes", "min_body_rate", "connections", "queued"}));
  RATLS_CHECK(read_option(table, "header_bytes", options, &ServerOptions::max_header_bytes));
  RATLS_CHECK(read_option(table, "body_bytes", options, &ServerOptions::max_body_bytes));
  RATLS_CHECK(read_option(table, "min_body_rate", options, &ServerOptions::min_body_rate));
  RATLS_CHECK(read_option(table, "connections", options, &ServerOptions::max_connections));
  return read_option(table, "queued", options, &ServerOptions::max_queued);
}

Result<void> read_timeouts(const TableReader& root, ServerOptions& options) {
  RATLS_TRY(const TableReader table,
            root.table("timeouts", {"handshake", "queue", "request", "keep_alive", "write",
                                    "upstream", "stream", "drain"}));
  RATLS_CHECK(read_option(table, "handshake", options, &ServerOptions::handshake_timeout));
  RATLS_CHECK(read_option(table, "queue", options, &ServerOptions::queue_timeout));
  RATLS_CHECK(read_option(table, "request", options, &ServerOptions::request_timeout));
  RATLS_CHECK(read_option(table, "keep_alive", options, &ServerOptions::keep_alive_timeout));
  RATLS_CHECK(read_option(table, "write", options, &ServerOptions::write_timeout));
  RATLS_CHECK(read_option(table, "upstream", options, &ServerOptions::upstream_timeout));
  RATLS_CHECK(read_option(table, "stream", options, &ServerOptions::stream_timeout));
  return read_option(table, "drain", options, &ServerOptions::drain_timeout);
}

Result<void> read_log(const TableReader& root, Settings& settings) {
  using server::LogFormat;
  using server::LogLevel;
  RATLS_TRY(const TableReader table, root.table("log", {"format", "level", "access"}));
  RATLS_CHECK(read_word(table, "format", {{"text", LogFormat::text}, {"json", LogFormat::json}},
                        settings.log.format));
  RATLS_CHECK(read_word(
      table, "level",
      {{"info", LogLevel::info}, {"warning", LogLevel::warning}, {"error", LogLevel::error}},
      settings.log.level));
  return read_to(table, "access", settings.server.access_log);
}

}  // namespace

AppOptions app_options(const Settings& settings) {
  return {settings.command, settings.workers.value_or(1), settings.start_timeout};
}

Result<Settings> parse_settings(std::string_view text, const std::filesystem::path& base_dir) {
  RATLS_TRY(const toml::TomlValue document, toml::parse_toml(text, Code::config_invalid));
  RATLS_TRY(const TableReader root,
            TableReader::open(
                document, "",
                {"listen", "tee", "sim", "threads", "min_tls", "staple", "endorse",
                 "session_evidence", "certificate", "app", "limits", "timeouts", "log", "admin"},
                Code::config_invalid));
  Settings settings;
  RATLS_CHECK(read_listen(root, settings.listen));
  RATLS_CHECK(read_tee(root, base_dir, settings.tee));
  RATLS_CHECK(read_option(root, "threads", settings.server, &ServerOptions::threads));
  RATLS_CHECK(read_word(root, "min_tls", {{"1.3", TlsVersion::tls13}, {"1.2", TlsVersion::tls12}},
                        settings.server.lowest_tls));
  RATLS_CHECK(read_staple(root, base_dir, settings.staple));
  RATLS_TRY(const auto endorse, root.boolean("endorse"));
  settings.endorse = endorse.value_or(false);
  RATLS_TRY(const auto session_evidence, root.boolean("session_evidence"));
  settings.server.session_evidence = session_evidence.value_or(true);
  RATLS_CHECK(read_certificate(root, settings.certificate));
  RATLS_CHECK(read_app(root, base_dir, settings));
  RATLS_CHECK(read_limits(root, settings.server));
  RATLS_CHECK(read_timeouts(root, settings.server));
  RATLS_CHECK(read_log(root, settings));
  RATLS_TRY(const TableReader admin, root.table("admin", {"listen"}));
  RATLS_CHECK(read_listen(admin, settings.admin_listen));
  return settings;
}

Result<Settings> load_settings(const std::filesystem::path& path) {
  RATLS_TRY(const Bytes content, read_file(path, toml::kMaxTomlSize));
  auto parsed = parse_settings(as_text(content), path.parent_path());
  if (!parsed) return parsed.error().in(path.string());
  return parsed;
}

Result<void> check_reload(const Settings& running, const Settings& next) {
  const std::pair<const char*, bool> kept[] = {
      {"listen", running.listen == next.listen},
      {"admin.listen", running.admin_listen == next.admin_listen},
      {"tee", running.tee.tee == next.tee.tee},
      {"sim", running.tee.sim_dir == next.tee.sim_dir},
      {"threads", running.server.threads == next.server.threads},
      {"min_tls", running.server.lowest_tls == next.server.lowest_tls},
      {"staple", running.staple == next.staple},
      {"endorse", running.endorse == next.endorse},
      {"session_evidence", running.server.session_evidence == next.server.session_evidence},
      {"app.upstream", running.upstream == next.upstream},
      {"app.command", running.command == next.command},
      {"app.workers", running.workers == next.workers},
      {"app.start_timeout", running.start_timeout == next.start_timeout},
  };
  for (const auto& [key, is_same] : kept) {
    if (is_same) continue;
    return Error(Code::config_invalid, key, "it cannot change while the server runs: restart it");
  }
  return {};
}

}  // namespace ratls::config
