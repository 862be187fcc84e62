// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/completion.h"

namespace ratls::cli {
namespace {

constexpr const char* kOverview =
    "Sessions with servers whose code is proven.\n"
    "\n"
    "Try it on the simulated platform:\n"
    "  ratls sim init\n"
    "  ratls serve --tee sim --listen 127.0.0.1:8000 &\n"
    "  ratls get --retry 5 --policy ~/.local/share/ratls/sim/policy.toml https://127.0.0.1:8000/\n"
    "\n"
    "Exit codes: 0 accepted, 1 HTTP error with --fail, 2 usage or policy file, 3 malformed or\n"
    "missing evidence, 4 untrusted, 5 stale, 6 TCB not accepted, 7 policy, 8 unavailable, 9 bug.";

// An empty value is an unset variable of a script, not a wish to leave the option out.
CLI::Validator not_empty() {
  return CLI::Validator(
      [](const std::string& value) {
        return value.empty() ? std::string("the value is empty") : std::string();
      },
      "", "");
}

void add_policy_options(CLI::App& app, PolicyOptions& options) {
  auto* group = app.add_option_group("Verification", "What is accepted");
  auto* policy = group->add_option("--policy", options.policy_file, "Policy file (TOML)");
  auto* enclave = group->add_option("--mr-enclave", options.mr_enclave,
                                    "Accept this measurement only (64 hex digits)");
  auto* signer = group->add_option("--mr-signer", options.mr_signer,
                                   "Accept this signer, with --isv-prod-id and --min-isv-svn");
  auto* product = group->add_option("--isv-prod-id", options.isv_prod_id, "Product of the signer");
  auto* version =
      group->add_option("--min-isv-svn", options.min_isv_svn, "Lowest version of the product");
  for (CLI::Option* identity : {enclave, signer, product, version}) identity->excludes(policy);
  for (CLI::Option* text : {policy, enclave, signer}) text->check(not_empty());
  signer->needs(product)->needs(version);
  auto* file = group
                   ->add_option("--collateral", options.collateral_file,
                                "Collateral file, instead of the policy's sources")
                   ->check(not_empty());
  group->add_option("--pccs", options.pccs, "PCCS address, instead of the policy's sources")
      ->excludes(file)
      ->check(not_empty());
}

CLI::Option* add_resolve_option(CLI::App& app, std::vector<std::string>& resolve) {
  return app
      .add_option("--resolve", resolve,
                  "HOST:PORT:ADDRESS, an address for a name, which is still what is checked")
      ->allow_extra_args(false)
      ->take_all();
}

void add_verbose_flag(CLI::App& app, bool& verbose) {
  app.add_flag("-v,--verbose", verbose, "Say on stderr what is done, with the time it takes");
}

void add_subject_options(CLI::App& app, SubjectArguments& subject,
                         std::vector<std::string>& resolve) {
  auto* group = app.add_option_group("Subject", "What to look at");
  auto* url = group->add_option("URL", subject.url, "https address of a server");
  url->check(not_empty());
  add_resolve_option(app, resolve)->needs(url);
  group->add_option("--cert", subject.certificate_file, "Certificate file (PEM or DER)")
      ->check(not_empty());
  group->add_option("--quote", subject.quote_file, "Quote file (binary)")->check(not_empty());
  group->require_option(1);
}

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

template <class T>
CLI::App* add_command(CLI::App& app, Arguments& chosen, const std::string& name,
                      const std::string& text, const std::shared_ptr<T>& arguments) {
  CLI::App* command = app.add_subcommand(name, text);
  command->callback([&chosen, arguments] { chosen = *arguments; });
  return command;
}

void add_verify(CLI::App& app, Arguments& chosen) {
  auto arguments = std::make_shared<VerifyArguments>();
  auto* command =
      add_command(app, chosen, "verify",
                  "Verify a server, a certificate or a quote, and print the report", arguments);
  add_subject_options(*command, arguments->subject, arguments->resolve);
  add_policy_options(*command, arguments->policy);
  command
      ->add_option("--at", arguments->at,
                   "Judge at this time (RFC 3339 or Unix seconds); not with a URL")
      ->check(not_empty());
  command->add_flag("--json", arguments->json, "Print one JSON object");
  add_verbose_flag(*command, arguments->verbose);
}

void add_inspect(CLI::App& app, Arguments& chosen) {
  auto arguments = std::make_shared<InspectArguments>();
  auto* command =
      add_command(app, chosen, "inspect",
                  "Show what a server, a certificate or a quote says; decides nothing", arguments);
  add_subject_options(*command, arguments->subject, arguments->resolve);
  command->add_flag("--json", arguments->json, "Print one JSON object");
}

void add_request(CLI::App& app, Arguments& chosen, const std::string& method) {
  auto arguments = std::make_shared<RequestArguments>();
  const bool post = method == "POST";
  arguments->method = method;
  auto* command = add_command(app, chosen, post ? "post" : "get",
                              "Verify a server, then send it a " + method + " request", arguments);
  command->add_option("URL", arguments->url, "https address")->required();
  add_policy_options(*command, arguments->policy);
  command->add_option("-H,--header", arguments->headers, "Header line 'Name: value'")->take_all();
  if (post) {
    command->add_option("-d,--data", arguments->data,
                        "Body, or @FILE; sent as application/json unless -H says otherwise");
  }
  command->add_option("-o,--output", arguments->output_file, "Write the body to this file");
  command->add_flag("-i,--include", arguments->include_headers, "Print status and headers too");
  command->add_flag("--fail", arguments->fail,
                    "End with 1 when the status is 400 or more; -o writes nothing then");
  command
      ->add_option("--retry", arguments->retries,
                   "Repeat connection errors so often; never a refusal")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command->add_option("--timeout", arguments->timeout, "Longest silence in seconds")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  command->add_option("--max-time", arguments->max_time, "Longest exchange in seconds; 0: no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command->add_option("--proxy", arguments->proxy, "http:// or socks5:// proxy");
  add_resolve_option(*command, arguments->resolve);
  add_verbose_flag(*command, arguments->verbose);
  command->add_flag_callback(
      "--no-progress", [arguments] { arguments->progress = false; },
      "Draw no progress bar on a terminal");
}

void add_proxy(CLI::App& app, Arguments& chosen) {
  auto arguments = std::make_shared<ProxyArguments>();
  auto* command = add_command(
      app, chosen, "proxy", "Let programs of this machine reach an attested server over plain HTTP",
      arguments);
  command->add_option("URL", arguments->url, "https address of the server")->required();
  command
      ->add_option("--listen", arguments->listen,
                   "HOST:PORT of this machine's loopback; port 0 takes a free one")
      ->required();
  add_policy_options(*command, arguments->policy);
  command->add_option("--name", arguments->names, "Further name that the proxy is called by")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--proxy", arguments->upstream_proxy,
                      "http:// or socks5:// proxy on the way to the server");
  command->add_flag("--access-log", arguments->access_log, "Log a line for each request");
  command->add_flag("--dangerous-any-address", arguments->any_address,
                    "Listen also where others can ask, and read all that is said");
}

void add_doctor(CLI::App& app, Arguments& chosen) {
  auto arguments = std::make_shared<DoctorArguments>();
  auto* command =
      add_command(app, chosen, "doctor",
                  "Say what works on this machine, or with a server, and what to do", arguments);
  command->add_option("URL", arguments->url, "https address of a server")->check(not_empty());
  add_policy_options(*command, arguments->policy);
  command->add_option("--role", arguments->role, "Which role the exit code is about")
      ->check(CLI::IsMember({"client", "host"}))
      ->capture_default_str();
  command->add_option("--root", arguments->root, "Where the file system begins; for tests")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print one JSON object");
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
      ->add_option("--staple", settings.staple,
                   "Hand out collateral to clients: from a file, \"pcs\" or a PCCS address; with "
                   "--tee sim the platform's own is handed out anyway")
      ->check(not_empty());
  command->add_flag("--endorse", settings.endorse,
                    "Put that collateral into the certificate too (some 20 KiB)");
  command->add_flag("!--no-session-evidence", settings.server.session_evidence,
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
      "Example: ratls serve --workers 2 -- uvicorn app:app --fd {fd}");
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
  command->footer(
      "Example: ratls run --cert /tmp/crt.pem --key /tmp/key.pem -- nginx -g 'daemon off;'");
}

void add_sim(CLI::App& app, Arguments& chosen) {
  auto* sim = app.add_subcommand("sim", "The simulated platform");
  sim->require_subcommand(1);
  auto init = std::make_shared<SimInitArguments>();
  auto* init_command = add_command(
      *sim, chosen, "init", "Make a simulated platform, or renew the collateral of one", init);
  init_command->add_option("--dir", init->dir, "Its folder");
  init_command->add_option("--tee", init->tee, "What it is: sgx (an enclave) or tdx (a TD)")
      ->check(CLI::IsMember({"sgx", "tdx"}));
  init_command->add_flag("--debug", init->debug, "Its enclave or TD runs in debug mode");
  init_command->add_option("--mr-enclave", init->mr_enclave, "Measurement of its enclave");
  init_command->add_option("--isv-svn", init->isv_svn, "Version of its enclave");
  auto mount = std::make_shared<SimMountArguments>();
  auto* mount_command = add_command(*sim, chosen, "mount",
                                    "Offer the platform's attestation files through FUSE", mount);
  mount_command->add_option("MOUNTPOINT", mount->mountpoint, "An empty folder")->required();
  mount_command->add_option("--dir", mount->dir, "Folder of the simulated platform");
  auto pcs = std::make_shared<SimPcsArguments>();
  auto* pcs_command = add_command(
      *sim, chosen, "pcs", "Serve the platform's collateral with Intel's PCS API, over http", pcs);
  pcs_command->add_option("--listen", pcs->listen, "HOST:PORT of this machine's loopback")
      ->capture_default_str();
  pcs_command->add_option("--dir", pcs->dir, "Folder of the simulated platform");
}

void add_collateral_fetch(CLI::App& collateral, Arguments& chosen) {
  auto fetch = std::make_shared<CollateralFetchArguments>();
  auto* command = add_command(collateral, chosen, "fetch",
                              "Fetch a platform's collateral and write the file", fetch);
  auto* platform = command->add_option_group("Platform", "Whose collateral is wanted");
  platform->add_option("URL", fetch->subject.url, "That of a server")->check(not_empty());
  platform->add_option("--cert", fetch->subject.certificate_file, "That of a certificate's quote")
      ->check(not_empty());
  platform->add_option("--quote", fetch->subject.quote_file, "That of a quote")->check(not_empty());
  auto* fmspc = platform->add_option("--fmspc", fetch->fmspc, "12 hex digits, as reports show them")
                    ->check(not_empty());
  platform->require_option(1);
  command->add_option("--ca", fetch->pck_ca, "Its PCK CA, with --fmspc")
      ->check(CLI::IsMember({"platform", "processor"}))
      ->capture_default_str()
      ->needs(fmspc);
  command->add_option("--tee", fetch->tee, "Its kind of TEE, with --fmspc")
      ->check(CLI::IsMember({"sgx", "tdx"}))
      ->capture_default_str()
      ->needs(fmspc);
  command
      ->add_option("--policy", fetch->policy_file,
                   "Root and sources are this policy's, not Intel's")
      ->check(not_empty());
  command->add_option("--pccs", fetch->pccs, "PCCS address, instead of the policy's sources")
      ->check(not_empty());
  command->add_option("--update", fetch->update, "Which of Intel's TCB baselines")
      ->check(CLI::IsMember({"standard", "early"}));
  command->add_option("-o,--output", fetch->output_file, "File to write; absent: standard output");
}

void add_collateral(CLI::App& app, Arguments& chosen) {
  auto* collateral = app.add_subcommand("collateral", "Intel's word on platforms, in files");
  collateral->require_subcommand(1);
  add_collateral_fetch(*collateral, chosen);
  auto show = std::make_shared<CollateralShowArguments>();
  auto* show_command = add_command(*collateral, chosen, "show",
                                   "Say what a collateral file holds, and what expires when", show);
  show_command->add_option("FILE", show->file, "Collateral file")->required()->check(not_empty());
  show_command->add_option("--policy", show->policy_file, "The root is this policy's, not Intel's")
      ->check(not_empty());
  show_command->add_flag("--json", show->json, "Print one JSON object");
  auto serve = std::make_shared<CollateralServeArguments>();
  auto* serve_command =
      add_command(*collateral, chosen, "serve",
                  "Serve collateral files with Intel's PCS API, over http", serve);
  serve_command->add_option("PATH", serve->paths, "Collateral files, and folders of *.json files")
      ->required()
      ->check(not_empty());
  serve_command->add_option("--listen", serve->listen, "HOST:PORT of this machine's loopback")
      ->capture_default_str();
}

void add_policy_from_url(CLI::App& policy, Arguments& chosen) {
  auto from = std::make_shared<PolicyFromUrlArguments>();
  auto* command =
      add_command(policy, chosen, "from-url",
                  "Verify a server but for its identity, and print the policy that names it", from);
  command->add_option("URL", from->url, "https address")->required()->check(not_empty());
  command
      ->add_option("--policy", from->policy_file,
                   "Root, sources and accepted TCB are this policy's; its identities do not count")
      ->check(not_empty());
  auto* file = command
                   ->add_option("--collateral", from->collateral_file,
                                "Collateral file, instead of the policy's sources")
                   ->check(not_empty());
  command->add_option("--pccs", from->pccs, "PCCS address, instead of the policy's sources")
      ->excludes(file)
      ->check(not_empty());
  command->add_option("-o,--output", from->output_file,
                      "File to write, which must not exist; absent: standard output");
}

void add_policy_diff(CLI::App& policy, Arguments& chosen) {
  auto diff = std::make_shared<PolicyDiffArguments>();
  auto* command = add_command(
      policy, chosen, "diff",
      "Say what changed between two policies, two manifests of Gramine or two .sig files", diff);
  command->add_option("OLD", diff->old_file, "The file before")->required()->check(not_empty());
  command->add_option("NEW", diff->new_file, "The file after, of the same kind")
      ->required()
      ->check(not_empty());
  command->add_flag("--json", diff->json, "Print one JSON object");
}

void add_policy(CLI::App& app, Arguments& chosen) {
  auto* policy = app.add_subcommand("policy", "Policy files");
  policy->require_subcommand(1);
  auto check = std::make_shared<PolicyCheckArguments>();
  auto* check_command = add_command(*policy, chosen, "check",
                                    "Say what a policy accepts, and where it is weak", check);
  check_command->add_option("FILE", check->file, "Policy file (TOML)")
      ->required()
      ->check(not_empty());
  auto from = std::make_shared<PolicyFromSigstructArguments>();
  auto* from_command = add_command(*policy, chosen, "from-sigstruct",
                                   "Print the policy for an enclave that you signed", from);
  from_command->add_option("FILE", from->file, "Its .sig file, as gramine-sgx-sign writes it")
      ->required()
      ->check(not_empty());
  add_policy_from_url(*policy, chosen);
  add_policy_diff(*policy, chosen);
}

// For packages and for those who install by hand; not shown among the commands.
void add_completion(CLI::App& app, Arguments& chosen) {
  auto kind = std::make_shared<std::string>();
  auto* command = app.add_subcommand("completion", "Print a shell completion or the manual page");
  command->group("");
  command->add_option("KIND", *kind, "bash, zsh, fish or man")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish", "man"}));
  command->callback([&, kind] { chosen = HelpArguments{.text = completion_script(app, *kind)}; });
}

}  // namespace

Result<Arguments> parse_arguments(const std::vector<std::string>& given,
                                  const config::Settings& settings) {
  std::vector<std::string> words = given;
  // What follows -- is a command with options of its own, none of which are ours.
  std::optional<std::vector<std::string>> command;
  if (const auto separator = std::ranges::find(words, "--"); separator != words.end()) {
    command.emplace(separator + 1, words.end());
    words.erase(separator, words.end());
  }
  Arguments chosen;
  CLI::App app(kOverview, "ratls");
  app.set_version_flag("--version", "ratls " RATLS_VERSION);
  app.require_subcommand(1);
  add_serve(app, chosen, settings);
  add_run(app, chosen);
  add_request(app, chosen, "GET");
  add_request(app, chosen, "POST");
  add_proxy(app, chosen);
  add_doctor(app, chosen);
  add_verify(app, chosen);
  add_inspect(app, chosen);
  add_sim(app, chosen);
  add_policy(app, chosen);
  add_collateral(app, chosen);
  add_completion(app, chosen);
  const auto is_named = [&](const CLI::App* command) {
    return command->get_name() == words.front();
  };
  if (!words.empty() && !words.front().starts_with('-') &&
      std::ranges::none_of(app.get_subcommands(nullptr), is_named)) {
    return Error(Code::usage, "command line", "\"" + words.front() + "\" is no command");
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
                 "only ratls run and ratls serve take a command after --");
  }
  return chosen;
}

}  // namespace ratls::cli
