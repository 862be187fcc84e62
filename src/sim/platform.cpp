// SPDX-License-Identifier: Apache-2.0
#include "sim/platform.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/file.h"
#include "base/reader.h"
#include "sim/state.h"

namespace ratls::sim {

struct Platform::State {
  QuoteSpec quote;
  PlatformState state;
};

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxStateSize = 256 * 1024;
constexpr std::string_view kStateFile = "state.json";
constexpr std::string_view kRootFile = "root.pem";
constexpr std::string_view kCollateralFile = "collateral.json";
constexpr std::string_view kPolicyFile = "policy.toml";

std::string system_text(int error_number) { return std::generic_category().message(error_number); }

// Only the last folder is private: the ones above it may be there for others too.
Result<void> make_directory(const fs::path& dir) {
  std::error_code error;
  if (dir.has_parent_path()) fs::create_directories(dir.parent_path(), error);
  if (error) return Error(Code::file_unwritable, dir.string(), error.message());
  if (::mkdir(dir.c_str(), 0700) == 0) return {};
  if (errno == EEXIST && fs::is_directory(dir, error)) return {};
  const int reason = errno == EEXIST ? ENOTDIR : errno;
  return Error(Code::file_unwritable, dir.string(), system_text(reason));
}

// Keeps two inits of one folder apart; a file system without locks is used without.
class DirectoryLock {
 public:
  explicit DirectoryLock(const fs::path& dir)
      : fd_(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0) return;
    while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int fd_;
};

// What replace_file leaves behind when the process is killed in it.
bool is_leftover(std::string_view file_name) {
  return std::ranges::any_of(
      std::array{kStateFile, kRootFile, kCollateralFile, kPolicyFile},
      [&](std::string_view ours) { return is_temporary_of(file_name, ours); });
}

// Gives one file that is not ours to remove, if there is any.
Result<std::optional<std::string>> remove_leftovers(const fs::path& dir) {
  std::optional<std::string> other;
  std::error_code error;
  for (auto entry = fs::directory_iterator(dir, error); !error && entry != fs::end(entry);
       entry.increment(error)) {
    const std::string file_name = entry->path().filename().string();
    if (is_leftover(file_name)) {
      fs::remove(entry->path(), error);
    } else {
      other = file_name;
    }
  }
  if (error) return Error(Code::file_unwritable, dir.string(), error.message());
  return other;
}

Result<PlatformState> read_state(const fs::path& dir) {
  const fs::path path = dir / kStateFile;
  auto content = read_file(path, kMaxStateSize);
  if (!content) {
    return Error(Code::platform_unavailable, path.string(), content.error().detail());
  }
  auto state = parse_state(*content);
  crypto::wipe(*content);
  if (!state) return state.error().in(path.string());
  return state;
}

Result<void> write_state(const fs::path& dir, const PlatformState& state) {
  RATLS_TRY(Bytes content, format_state(state));
  Result<void> outcome = replace_file(dir / kStateFile, content, FileMode::secret);
  crypto::wipe(content);
  return outcome;
}

// The bytes that tell one processor family of Intel's from another; the rest is zero in all.
Result<x509::PckExtension> random_machine() {
  x509::PckExtension machine = default_machine(PckCa::platform);
  RATLS_CHECK(crypto::fill_random(machine.ppid.bytes));
  RATLS_CHECK(crypto::fill_random(machine.platform_instance_id->bytes));
  RATLS_CHECK(crypto::fill_random(std::span(machine.fmspc.bytes).first(3)));
  machine.fmspc.bytes[0] &= 0xF0;
  return machine;
}

Result<EnclaveReport> new_enclave(const PlatformOptions& options) {
  EnclaveReport enclave = default_enclave();
  RATLS_CHECK(crypto::fill_random(enclave.mr_enclave.bytes));
  RATLS_CHECK(crypto::fill_random(enclave.mr_signer.bytes));
  enclave.mr_enclave = options.mr_enclave.value_or(enclave.mr_enclave);
  enclave.mr_signer = options.mr_signer.value_or(enclave.mr_signer);
  enclave.isv_prod_id = options.isv_prod_id.value_or(1);
  enclave.isv_svn = options.isv_svn.value_or(1);
  if (options.debug) enclave.attributes.bytes[0] |= kAttributeDebug;
  return enclave;
}

// Another TD on every platform: firmware, its settings, kernel, command line. RTMR3 is the guest's
// own, and zero until it extends it.
Result<TdReport> new_td(const PlatformOptions& options) {
  TdReport td = default_td();
  RATLS_CHECK(crypto::fill_random(td.mr_td.bytes));
  for (std::size_t i = 0; i < 3; ++i) RATLS_CHECK(crypto::fill_random(td.rtmr[i].bytes));
  if (options.debug) td.td_attributes.bytes[0] |= kTdDebug;
  return td;
}

Result<void> check_options(const PlatformOptions& options, Tee tee) {
  const bool enclave =
      options.mr_enclave || options.mr_signer || options.isv_prod_id || options.isv_svn;
  if (tee != Tee::tdx || !enclave) return {};
  return Error(Code::usage, "--tee tdx", "a TDX platform has a TD and no enclave to describe");
}

Result<void> check_identity(const fs::path& dir, const PlatformState& state,
                            const PlatformOptions& options) {
  const Tee tee = state.td ? Tee::tdx : Tee::sgx;
  const EnclaveReport& enclave = state.enclave;
  const bool is_debug = state.td ? state.td->debug() : enclave.debug();
  std::string differs;
  const auto compare = [&](const char* field, const std::string& has, const std::string& asked) {
    if (has != asked && differs.empty()) {
      differs = std::string(field) + " " + has + ", asked for is " + asked;
    }
  };
  if (options.tee) {
    compare("tee", std::string(to_string(tee)), std::string(to_string(*options.tee)));
  }
  if (options.mr_enclave) {
    compare("mr_enclave", to_hex(enclave.mr_enclave), to_hex(*options.mr_enclave));
  }
  if (options.mr_signer) {
    compare("mr_signer", to_hex(enclave.mr_signer), to_hex(*options.mr_signer));
  }
  if (options.isv_prod_id) {
    compare("isv_prod_id", std::to_string(enclave.isv_prod_id),
            std::to_string(*options.isv_prod_id));
  }
  if (options.isv_svn) {
    compare("isv_svn", std::to_string(enclave.isv_svn), std::to_string(*options.isv_svn));
  }
  if (options.debug) compare("debug", is_debug ? "true" : "false", "true");
  if (differs.empty()) return check_options(options, tee);
  return Error(Code::usage, dir.string(),
               "the simulated platform there has " + differs +
                   "; it keeps its identity, use another --dir for another one");
}

Result<PlatformState> open_or_make_state(const fs::path& dir, const PlatformOptions& options,
                                         UnixTime now) {
  RATLS_TRY(const auto other_file, remove_leftovers(dir));
  std::error_code error;
  if (fs::exists(fs::symlink_status(dir / kStateFile, error))) {
    RATLS_TRY(PlatformState state, read_state(dir));
    RATLS_CHECK(check_identity(dir, state, options));
    return state;
  }
  if (other_file) {
    return Error(Code::usage, dir.string(),
                 "it holds \"" + *other_file +
                     "\" and no simulated platform; use another --dir or an empty one");
  }
  const Tee tee = options.tee.value_or(Tee::sgx);
  RATLS_CHECK(check_options(options, tee));
  if (::chmod(dir.c_str(), 0700) != 0) {
    return Error(Code::file_unwritable, dir.string(), system_text(errno));
  }
  RATLS_TRY(const auto machine, random_machine());
  RATLS_TRY(PlatformState state, make_state(machine, now));
  if (tee == Tee::tdx) {
    RATLS_TRY(state.td, new_td(options));
  } else {
    RATLS_TRY(state.enclave, new_enclave(options));
  }
  return state;
}

std::string entry_text(const PlatformState& state) {
  const auto line = [](std::string_view key, std::string_view value) {
    return std::string(key) + " = \"" + std::string(value) + "\"\n";
  };
  if (!state.td) {
    return "[[enclave]]\n" + line("name", "simulated enclave") +
           line("mr_enclave", to_hex(state.enclave.mr_enclave));
  }
  return "[[td]]\n" + line("name", "simulated TD") + line("mr_td", to_hex(state.td->mr_td)) +
         line("rtmr1", to_hex(state.td->rtmr[1])) + line("rtmr2", to_hex(state.td->rtmr[2]));
}

std::string policy_text(const PlatformState& state) {
  return "# Written by \"ratls sim init\": accepts one " +
         std::string(state.td ? "TD" : "enclave") +
         " on the simulated platform here.\n"
         "version = 1\n"
         "\n" +
         entry_text(state) +
         "\n"
         "[collateral]\n"
         "sources = [\"file:" +
         std::string(kCollateralFile) +
         "\"]\n"
         "\n"
         "[trust]\n"
         "root = \"" +
         std::string(kRootFile) + "\"\n";
}

// The policy may have been edited, so it is written only where there is none.
Result<void> write_public_files(const fs::path& dir, const PlatformState& state, UnixTime now) {
  RATLS_TRY(const Collateral collateral, state_collateral(state, now));
  RATLS_CHECK(replace_file(dir / kCollateralFile, as_bytes(format_collateral(collateral)),
                           FileMode::shared));
  RATLS_CHECK(replace_file(dir / kRootFile, as_bytes(x509::to_pem(state.root, "CERTIFICATE")),
                           FileMode::shared));
  std::error_code error;
  if (fs::exists(fs::symlink_status(dir / kPolicyFile, error))) return {};
  return replace_file(dir / kPolicyFile, as_bytes(policy_text(state)), FileMode::shared);
}

Result<void> check_complete(const fs::path& dir) {
  for (const std::string_view name : {kStateFile, kRootFile, kCollateralFile, kPolicyFile}) {
    std::error_code error;
    if (fs::exists(dir / name, error)) continue;
    std::string detail = name == kStateFile
                             ? "there is no simulated platform, run \"ratls sim init\" first"
                             : "the simulated platform is incomplete, run \"ratls sim init\" again";
    if (error) detail = error.message();
    return Error(Code::platform_unavailable, (dir / name).string(), std::move(detail));
  }
  return {};
}

}  // namespace

// The state is written first, and in one step: whatever is missing beside it, after a kill or by
// hand, the next init makes from it.
Result<Platform> Platform::init(const fs::path& given_dir, const PlatformOptions& options,
                                UnixTime now) {
  // Without the slash at the end that a user may have typed, so that the folder has a parent.
  const fs::path dir = given_dir.has_filename() ? given_dir : given_dir.parent_path();
  RATLS_CHECK(make_directory(dir));
  const DirectoryLock lock(dir);
  RATLS_TRY(PlatformState state, open_or_make_state(dir, options, now));
  ++state.crl_number;
  RATLS_CHECK(write_state(dir, state));
  RATLS_CHECK(write_public_files(dir, state, now));
  RATLS_TRY(QuoteSpec quote, state_quote(state));
  return Platform(std::make_shared<const State>(State{std::move(quote), std::move(state)}));
}

Result<Platform> Platform::load(const fs::path& dir) {
  RATLS_CHECK(check_complete(dir));
  RATLS_TRY(PlatformState state, read_state(dir));
  RATLS_TRY(QuoteSpec quote, state_quote(state));
  return Platform(std::make_shared<const State>(State{std::move(quote), std::move(state)}));
}

Result<Bytes> Platform::quote(const ReportData& report_data) const {
  QuoteSpec spec = state_->quote;
  put_report_data(spec, report_data);
  return make_quote(spec);
}

Result<Collateral> Platform::collateral(UnixTime now) const {
  return state_collateral(state_->state, now);
}

Result<TrustRoot> Platform::root() const {
  return TrustRoot::from_pem(as_bytes(x509::to_pem(state_->state.root, "CERTIFICATE")));
}

const EnclaveReport* Platform::enclave() const noexcept {
  return td() == nullptr ? &state_->quote.report : nullptr;
}

const TdReport* Platform::td() const noexcept {
  return state_->quote.td ? &*state_->quote.td : nullptr;
}

fs::path default_dir() {
  const auto from_environment = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value != nullptr ? value : "");
  };
  const fs::path data_home = from_environment("XDG_DATA_HOME");
  if (data_home.is_absolute()) return data_home / "ratls" / "sim";
  fs::path home = from_environment("HOME");
  if (home.empty()) {
    const passwd* user = ::getpwuid(::getuid());
    home = user != nullptr ? user->pw_dir : "/";
  }
  return home / ".local" / "share" / "ratls" / "sim";
}

}  // namespace ratls::sim
