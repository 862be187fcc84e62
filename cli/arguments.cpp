// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <CLI/CLI.hpp>

#include "cli/add_command.h"
#include "cli/completion.h"

namespace ratls::cli {
namespace {

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
  const auto kind = std::make_shared<std::string>();
  auto* command = app.add_subcommand("completion", "Print a shell completion or the manual page");
  command->group("");
  command->add_option("KIND", *kind, "bash, zsh, fish, man, or server-man for that of ratls-server")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish", "man", "server-man"}));
  command->callback([&, kind] {
    if (*kind != "server-man") {
      chosen = HelpArguments{.text = completion_script(app, *kind)};
      return;
    }
    // By this program, because that for enclaves is to have little in it.
    CLI::App server(kServerProgram.overview, kServerProgram.name);
    Arguments none;
    add_server_commands(server, none, {});
    chosen = HelpArguments{.text = completion_script(server, "man")};
  });
}

}  // namespace

void add_client_commands(CLI::App& app, Arguments& chosen) {
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
}

}  // namespace ratls::cli
