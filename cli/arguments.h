// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/settings.h"
#include "ratls/result.h"

namespace CLI {
class App;
}

// The command line as data: what was asked for, before anything is done about it.
namespace ratls::cli {

/// PolicyOptions is how a command names what it accepts: a file, or one identity.
struct PolicyOptions {
  std::string policy_file;
  std::string mr_enclave;
  std::string mr_signer;
  std::optional<std::uint16_t> isv_prod_id;
  std::optional<std::uint16_t> min_isv_svn;
  std::string collateral_file;  ///< takes the place of the policy's sources
  std::string pccs;             ///< likewise
};

/// SubjectArguments is what verify and inspect look at: exactly one of the three.
struct SubjectArguments {
  std::string url;
  std::string certificate_file;
  std::string quote_file;
};

struct HelpArguments {
  std::string text;
};

struct VerifyArguments {
  SubjectArguments subject;
  PolicyOptions policy;
  std::vector<std::string> resolve;
  std::string at;
  bool json = false;
  bool verbose = false;
};

struct InspectArguments {
  SubjectArguments subject;
  std::vector<std::string> resolve;
  bool json = false;
};

struct RequestArguments {
  std::string method;
  std::string url;
  PolicyOptions policy;
  std::vector<std::string> headers;
  std::optional<std::string> data;  ///< text, or @FILE
  std::string output_file;
  bool include_headers = false;
  bool fail = false;
  int retries = 0;
  double timeout = 60;  ///< seconds of silence
  double max_time = 0;  ///< seconds of one exchange, 0: no limit
  std::string proxy;
  std::vector<std::string> resolve;  ///< HOST:PORT:ADDRESS
  bool verbose = false;
  bool progress = true;  ///< where there is a terminal for it
};

struct ProxyArguments {
  std::string url;
  std::string listen;
  PolicyOptions policy;
  std::vector<std::string> names;
  std::string upstream_proxy;
  bool any_address = false;
  bool access_log = false;
};

struct DoctorArguments {
  std::string url;  ///< empty: no server is asked
  PolicyOptions policy;
  std::string role = "client";
  std::string root = "/";
  bool json = false;
};

struct ServeArguments {
  std::string config_file;         ///< empty: none
  bool check = false;              ///< only say what is wrong
  config::Settings settings;       ///< those of the flags, on top of what they were parsed on
  std::vector<std::string> words;  ///< the command line, to be parsed on the file's settings
};

struct RunArguments {
  std::string certificate_file;
  std::string key_file;
  std::string format = "pem";
  config::TeeSettings tee;
  CertificateOptions certificate{.lifetime = std::chrono::days(30), .names = {}};
  std::vector<std::string> command;
};

struct SimInitArguments {
  std::string dir;
  std::string tee;  ///< sgx, tdx; empty: sgx, or what is there
  bool debug = false;
  std::string mr_enclave;
  std::optional<std::uint16_t> isv_svn;
};

struct SimMountArguments {
  std::string mountpoint;
  std::string dir;
};

struct SimPcsArguments {
  std::string listen = "127.0.0.1:8081";
  std::string dir;
};

/// CollateralFetchArguments is which platform, and from where: exactly one of fmspc and the three
/// of the subject.
struct CollateralFetchArguments {
  SubjectArguments subject;
  std::string fmspc;
  std::string pck_ca = "platform";
  std::string tee = "sgx";
  std::string policy_file;  ///< root and sources; empty: Intel's
  std::string pccs;         ///< takes the place of the policy's sources
  std::string update;       ///< standard, early; empty: as the policy says
  std::string output_file;  ///< empty: stdout
};

struct CollateralShowArguments {
  std::string file;
  std::string policy_file;  ///< its root; empty: Intel's
  bool json = false;
};

struct CollateralServeArguments {
  std::string listen = "127.0.0.1:8081";
  std::vector<std::string> paths;  ///< files, and folders with files
};

struct PolicyFromUrlArguments {
  std::string url;
  std::string policy_file;  ///< for what is not the identity; empty: the defaults
  std::string collateral_file;
  std::string pccs;
  std::string output_file;
};

struct PolicyCheckArguments {
  std::string file;
};

/// PolicyDiffArguments is two files of one kind: policies, manifests, or .sig files.
struct PolicyDiffArguments {
  std::string old_file;
  std::string new_file;
  bool json = false;
};

struct PolicyFromSigstructArguments {
  std::string file;
};

using Arguments =
    std::variant<HelpArguments, VerifyArguments, InspectArguments, RequestArguments, ServeArguments,
                 RunArguments, SimInitArguments, SimMountArguments, SimPcsArguments,
                 CollateralFetchArguments, CollateralShowArguments, CollateralServeArguments,
                 PolicyCheckArguments, PolicyDiffArguments, PolicyFromSigstructArguments,
                 PolicyFromUrlArguments, ProxyArguments, DoctorArguments>;

/// Program is one of the two whose command lines these are: both have serve and run.
struct Program {
  const char* name;
  const char* overview;                                    ///< what --help says first
  void (*add_commands)(CLI::App& app, Arguments& chosen);  ///< adds the others; null: none
};

/// kServerProgram is ratls-server, for enclaves.
extern const Program kServerProgram;

/// add_server_commands adds what both have.
void add_server_commands(CLI::App& app, Arguments& chosen, const config::Settings& settings);

/// add_client_commands adds what ratls has and ratls-server has not.
void add_client_commands(CLI::App& app, Arguments& chosen);

/// parse_arguments reads the words of a command line. What `serve` is not told by them is as in
/// settings. Errors: usage.
Result<Arguments> parse_arguments(const Program& program, const std::vector<std::string>& words,
                                  const config::Settings& settings = {});

}  // namespace ratls::cli
