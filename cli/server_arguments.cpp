// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/add_command.h"
#include "cli/arguments.h"

// What both programs have: serve, run, and how a command line is read.
namespace ratls::cli {
namespace {

void add_tee_options(CLI::App& app, config::TeeSettings& options) {
  app.add_option("--tee", options.tee,
                 "Where quotes come from: auto, gramine[:DIR], tdx[:DIR], sim")
      ->capture_default_str();
  app.add_option("--sim", options.sim_dir, "Folder of the simulated platform, with --tee sim");
}

/// duration makes a duration of an option's text; what is wrong is an error of the option.
std::chrono::seconds duration(const std::string& option, const std::string& text) {
  const auto parsed = parse_duration(text, option);
  if (!parsed) throw CLI::ValidationError(option, parsed.error().detail());
  return *parsed;
}

void add_certificate_options(CLI::App& app, CertificateOptions& options) {
  app.add_option("--name", options.names, "Further DNS name or address in the certificate")
      ->take_all();
  app.add_option_function<std::string>(
         "--lifetime",
         [&options](const std::string& text) { options.lifetime = duration("--lifetime", text); },
         "Life of the certificate, 10m to 89d")
      ->default_str(format_duration(options.lifetime));
  app.add_option_function<std::string>(
         "--key-type",
         [&options](const std::string& type) {
           options.key = type == "p384" ? CertificateKey::p384 : CertificateKey::p256;
         },
         "Type of the attested key")
      ->check(CLI::IsMember({"p256", "p384"}))
      ->default_str(options.key == CertificateKey::p384 ? "p384" : "p256");
  app.add_flag_callback(
      "--no-legacy-extension", [&options] { options.legacy_extension = false; },
      "Leave Gramine's older evidence format out");
}

void add_log_options(CLI::App& app, config::Settings& settings) {
  using server::LogFormat;
  using server::LogLevel;
  app.add_option_function<std::string>(
         "--log-format",
         [&log = settings.log](const std::string& format) {
           log.format = format == "json" ? LogFormat::json : LogFormat::text;
         },
         "Lines of text, or objects of JSON")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
  app.add_option_function<std::string>(
         "--log-level",
         [&log = settings.log](const std::string& level) {
           log.level = level == "error"     ? LogLevel::error
                       : level == "warning" ? LogLevel::warning
                                            : LogLevel::info;
         },
         "Which messages are logged, from this level on")
      ->check(CLI::IsMember({"info", "warning", "error"}))
      ->default_str("info");
  app.add_flag("--access-log", settings.server.access_log, "Log a line for each request");
}

void add_serve(CLI::App& app, Arguments& chosen, const config::Settings& defaults) {
  auto arguments = std::make_shared<ServeArguments>();
  arguments->settings = defaults;
  config::Settings& settings = arguments->settings;
  auto* command =
      add_command(app, chosen, "serve", "Serve HTTPS with an attested certificate", arguments);
  auto* file = command
                   ->add_option("--config", arguments->config_file,
                                "Configuration file (TOML); what flags say counts more")
                   ->check(not_empty());
  command->add_flag("--check", arguments->check, "Say what is wrong in the file, and end")
      ->needs(file);
  command->add_option("--listen", settings.listen, "HOST:PORT; port 0 takes a free one")
      ->capture_default_str();
  add_tee_options(*command, settings.tee);
  add_certificate_options(*command, settings.certificate);
  command
      ->add_option(
          "--staple", settings.staple,
          "Hand out collateral to clients: from a file, or by ratls from \"pcs\" or a PCCS "
          "address; with --tee sim the platform's own is handed out anyway")
      ->check(not_empty());
  command->add_flag("--endorse", settings.endorse,
                    "Put that collateral into the certificate too (some 20 KiB)");
  command->add_flag_callback(
      "--no-session-evidence", [&settings] { settings.server.session_evidence = false; },
      "Make no evidence for clients' sessions, which takes a quote each");
  command
      ->add_option("--upstream", settings.upstream,
                   "Pass requests on to an app at unix:PATH or http://127.0.0.1:PORT")
      ->check(not_empty());
  command
      ->add_option("--workers", settings.workers,
                   "Processes of the app whose command follows -- (default 1)")
      ->check(CLI::Range(1, 256));
  command->add_flag_callback(
      "--tls12", [&settings] { settings.server.lowest_tls = TlsVersion::tls12; },
      "Also allow TLS 1.2");
  command
      ->add_option("--admin", settings.admin_listen,
                   "Answer /metrics, /healthz, /readyz and /reload over http at this HOST:PORT of "
                   "the loopback")
      ->check(not_empty());
  command->add_option("--threads", settings.server.threads, "Threads that serve")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  add_log_options(*command, settings);
  command->footer(
      "With a command after --, that app is started and answers the requests: {fd} in it becomes "
      "the number of a listening UNIX socket, {socket} the path of one to make.\n"
      "Example: " +
      app.get_name() + " serve --workers 2 -- uvicorn app:app --fd {fd}");
}

void add_run(CLI::App& app, Arguments& chosen) {
  auto arguments = std::make_shared<RunArguments>();
  auto* command = add_command(
      app, chosen, "run",
      "Write an attested key and certificate, then become the command that follows --", arguments);
  command->add_option("--cert", arguments->certificate_file, "Certificate file to write")
      ->required();
  command->add_option("--key", arguments->key_file, "Key file to write, mode 0600")->required();
  command->add_option("--format", arguments->format, "Form of both files")
      ->check(CLI::IsMember({"pem", "der"}))
      ->capture_default_str();
  add_tee_options(*command, arguments->tee);
  add_certificate_options(*command, arguments->certificate);
  command->footer("Example: " + app.get_name() +
                  " run --cert /tmp/crt.pem --key /tmp/key.pem -- nginx -g 'daemon off;'");
}

}  // namespace

CLI::Validator not_empty() {
  return CLI::Validator(
      [](const std::string& value) {
        return value.empty() ? std::string("the value is empty") : std::string();
      },
      "", "");
}

void add_server_commands(CLI::App& app, Arguments& chosen, const config::Settings& settings) {
  app.set_version_flag("--version", app.get_name() + " " RATLS_VERSION);
  add_serve(app, chosen, settings);
  add_run(app, chosen);
}

Result<Arguments> parse_arguments(const Program& program, const std::vector<std::string>& given,
                                  const config::Settings& settings) {
  std::vector<std::string> words = given;
  // What follows -- is a command with options of its own, none of which are ours.
  std::optional<std::vector<std::string>> command;
  if (const auto separator = std::ranges::find(words, "--"); separator != words.end()) {
    command.emplace(separator + 1, words.end());
    words.erase(separator, words.end());
  }
  Arguments chosen;
  CLI::App app(program.overview, program.name);
  app.require_subcommand(1);
  add_server_commands(app, chosen, settings);
  if (program.add_commands != nullptr) program.add_commands(app, chosen);
  const auto is_named = [&](const CLI::App* command) {
    return command->get_name() == words.front();
  };
  if (!words.empty() && !words.front().starts_with('-') &&
      std::ranges::none_of(app.get_subcommands(nullptr), is_named)) {
    const bool is_server = program.add_commands == nullptr;
    return Error(Code::usage, "command line",
                 "\"" + words.front() + "\" is no command of " + program.name +
                     (is_server ? ", which has serve and run; ratls has the others" : ""));
  }
  try {
    std::ranges::reverse(words);  // the order that CLI11 takes words in
    app.parse(std::move(words));
  } catch (const CLI::CallForVersion& version) {
    return Arguments(HelpArguments{std::string(version.what()) + "\n"});
  } catch (const CLI::CallForHelp&) {
    return Arguments(HelpArguments{app.help()});
  } catch (const CLI::CallForAllHelp&) {
    return Arguments(HelpArguments{app.help("", CLI::AppFormatMode::All)});
  } catch (const CLI::ParseError& error) {
    return Error(Code::usage, "command line", error.what());
  }
  if (auto* serve = std::get_if<ServeArguments>(&chosen)) serve->words = given;
  if (auto* run = std::get_if<RunArguments>(&chosen)) {
    if (!command || command->empty()) {
      return Error(Code::usage, "run", "a command is needed after --");
    }
    run->command = std::move(*command);
  } else if (auto* serve = std::get_if<ServeArguments>(&chosen); serve && command) {
    if (command->empty()) return Error(Code::usage, "serve", "a command is needed after --");
    serve->settings.command = std::move(*command);
  } else if (command) {
    return Error(Code::usage, "command line",
                 std::string("only ") + program.name + " run and " + program.name +
                     " serve take a command after --");
  }
  return chosen;
}

}  // namespace ratls::cli
