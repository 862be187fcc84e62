// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "ratls/attester.h"
#include "ratls/server.h"
#include "server/log.h"

// What `ratls serve` is told, in a file or by flags.
namespace ratls::config {

/// TeeSettings is where quotes come from.
struct TeeSettings {
  std::string tee = "auto";  ///< auto, gramine[:DIR], tdx[:DIR], sim
  std::string sim_dir;       ///< empty: the default folder
};

/// Settings is all of it, with the defaults. Thread-safety: a value.
struct Settings {
  std::string listen = "127.0.0.1:8000";
  TeeSettings tee;
  CertificateOptions certificate;
  std::string admin_listen;  ///< where an operator asks; empty: nowhere
  ServerOptions server;      ///< but for hosts and ports
  std::string upstream;      ///< where an app listens; empty: nowhere
  std::vector<std::string> command;
  std::optional<unsigned> workers;  ///< processes of the command
  std::chrono::seconds start_timeout = AppOptions().start_timeout;
  std::string staple;    ///< where the collateral to hand out comes from; empty: nowhere
  bool endorse = false;  ///< the certificate brings it too
  server::LogOptions log;
};

/// app_options is what they say of the app that is to be run.
AppOptions app_options(const Settings& settings);

/// parse_settings reads a configuration file's text (docs/serve.md); base_dir is what its relative
/// paths are relative to. What the file does not name keeps its default. Errors: config_invalid,
/// with line and key as the place.
Result<Settings> parse_settings(std::string_view toml, const std::filesystem::path& base_dir);

/// load_settings reads a file. Blocks: on it. Errors: file_unreadable, and those of
/// parse_settings; all name the file.
Result<Settings> load_settings(const std::filesystem::path& path);

/// check_reload says whether a running server can go from one to the other: only what may change
/// while it serves is different (docs/serve.md). Errors: config_invalid, with the key that needs a
/// restart as the place.
Result<void> check_reload(const Settings& running, const Settings& next);

}  // namespace ratls::config
