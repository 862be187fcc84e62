// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/file.h"
#include "base/reader.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/steps.h"
#include "ratls/client.h"

namespace ratls::cli {
namespace {

/// OutputFile is where -o puts the body: a temporary file beside the target, which takes the
/// target's name when the answer is complete, so that a broken download never looks whole.
class OutputFile {
 public:
  static Result<OutputFile> open(const std::filesystem::path& path) {
    std::error_code error;  // a path that cannot be asked about cannot be opened either
    const bool special =
        std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error);
    std::filesystem::path temporary = path;
    if (!special) temporary += ".part" + std::to_string(::getpid());
    // One of a process that was killed; inside an enclave the process id is always 1.
    if (!special) ::unlink(temporary.c_str());
    std::FILE* file = std::fopen(temporary.c_str(), special ? "we" : "wxe");
    if (file == nullptr) {
      return Error(Code::file_unwritable, temporary.string(),
                   std::generic_category().message(errno));
    }
    return OutputFile(file, std::move(temporary), special ? std::filesystem::path() : path);
  }

  OutputFile(OutputFile&& other) noexcept
      : file_(std::exchange(other.file_, nullptr)),
        temporary_(std::move(other.temporary_)),
        target_(std::move(other.target_)) {}
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile() {
    if (file_ == nullptr) return;
    std::fclose(file_);
    if (!target_.empty()) ::unlink(temporary_.c_str());
  }

  bool write(BytesView bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size();
  }

  /// temporary is the file that is left behind when the program ends now; null when there is none.
  const char* temporary() const noexcept { return target_.empty() ? nullptr : temporary_.c_str(); }

  Result<void> finish() {
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    if (closed && (target_.empty() || ::rename(temporary_.c_str(), target_.c_str()) == 0))
      return {};
    const int error = errno;
    if (!target_.empty()) ::unlink(temporary_.c_str());
    return Error(Code::file_unwritable, target_.string(), std::generic_category().message(error));
  }

 private:
  OutputFile(std::FILE* file, std::filesystem::path temporary, std::filesystem::path target)
      : file_(file), temporary_(std::move(temporary)), target_(std::move(target)) {}
  std::FILE* file_;
  std::filesystem::path temporary_;
  std::filesystem::path target_;  ///< empty: written in place (a device or a pipe)
};

/// RemovedOnInterrupt removes a file when SIGINT, SIGTERM or SIGHUP ends the program, as long as it
/// lives. The program then ends by that signal, so that a shell reports 130 and stops its own
/// loops.
class RemovedOnInterrupt {
 public:
  explicit RemovedOnInterrupt(const char* path) {
    file.store(path);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction action {};
      if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
      action = {};
      action.sa_handler = remove_and_end;
      action.sa_flags = SA_RESETHAND;
      ::sigaction(signal, &action, nullptr);
    }
  }
  ~RemovedOnInterrupt() { file.store(nullptr); }
  RemovedOnInterrupt(const RemovedOnInterrupt&) = delete;
  RemovedOnInterrupt& operator=(const RemovedOnInterrupt&) = delete;

 private:
  static void remove_and_end(int signal) {
    if (const char* path = file.load()) ::unlink(path);
    ::raise(signal);  // once this returns, with the default action
  }
  static inline std::atomic<const char*> file{nullptr};
};

// Splits https://host/path?query into the origin and the path.
std::pair<std::string, std::string> split_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return {url, "/"};
  const std::size_t path = url.find_first_of("/?#", scheme + 3);
  if (path == std::string::npos) return {url, "/"};
  std::string target = url.substr(path, url.find('#', path) - path);
  if (target.empty() || target.front() != '/') target.insert(0, "/");
  return {url.substr(0, path), std::move(target)};
}

Result<std::pair<std::string, std::string>> parse_header(const std::string& line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos || colon == 0) {
    return Error(Code::usage, "--header", "\"" + line + "\" is not 'Name: value'");
  }
  std::string value = line.substr(colon + 1);
  value.erase(0, value.find_first_not_of(" \t"));
  return std::pair(line.substr(0, colon), std::move(value));
}

bool has_header(const ClientRequest& request, std::string_view wanted) {
  for (const auto& [name, value] : request.headers) {
    if (name.size() != wanted.size()) continue;
    std::string lower = name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower == wanted) return true;
  }
  return false;
}

Result<ClientRequest> make_request(const RequestArguments& arguments) {
  constexpr std::size_t kMaxDataFile = 1024UL * 1024 * 1024;
  ClientRequest request;
  request.method = arguments.method;
  request.path = split_url(arguments.url).second;
  for (const std::string& line : arguments.headers) {
    RATLS_TRY(auto header, parse_header(line));
    request.headers.push_back(std::move(header));
  }
  if (arguments.data && arguments.data->starts_with('@')) {
    RATLS_TRY(const Bytes file, read_file(arguments.data->substr(1), kMaxDataFile));
    request.body = std::string(as_text(file));
  } else if (arguments.data) {
    request.body = *arguments.data;
  }
  if (arguments.method == "POST" && !has_header(request, "content-type")) {
    request.headers.emplace_back("Content-Type", "application/json");
  }
  return request;
}

std::string header_text(const ClientResponse& response) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + "\n";
  for (const auto& [name, value] : response.headers) {
    text += printable(name) + ": " + printable(value) + "\n";
  }
  return text + "\n";
}

// A bar would stand among the lines of others, or of the answer.
bool wants_progress(const RequestArguments& arguments) {
  const bool answer_on_terminal = arguments.output_file.empty() && ::isatty(STDOUT_FILENO) == 1;
  return arguments.progress && !arguments.verbose && !answer_on_terminal && stderr_is_terminal();
}

ClientOptions options_of(const RequestArguments& arguments) {
  const auto milliseconds = [](double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  };
  ClientOptions options = command_client_options();
  options.retries = arguments.retries;
  options.proxy = arguments.proxy;
  options.resolve = arguments.resolve;
  options.stall_timeout = milliseconds(arguments.timeout);
  options.connect_timeout = std::min(options.connect_timeout, options.stall_timeout);
  options.total_timeout = milliseconds(arguments.max_time);
  if (arguments.verbose) options.on_step = step_printer();
  return options;
}

bool is_failure(const RequestArguments& arguments, const ClientResponse& response) {
  return arguments.fail && response.status >= 400;
}

Result<ClientResponse> exchange(const RequestArguments& arguments) {
  RATLS_TRY(Policy policy, make_policy(arguments.policy));
  RATLS_TRY(const ClientRequest request, make_request(arguments));
  ClientOptions options = options_of(arguments);
  ProgressBar bar;
  if (wants_progress(arguments)) {
    options.on_progress = [&bar](const Progress& progress) { bar.show(progress); };
  }
  RATLS_TRY(Client client,
            Client::create(split_url(arguments.url).first, std::move(policy), options));
  if (arguments.output_file.empty() && arguments.include_headers) return client.request(request);
  if (arguments.output_file.empty()) {
    return client.request(request, [](BytesView part) { return print(as_text(part)); });
  }
  RATLS_TRY(OutputFile file, OutputFile::open(arguments.output_file));
  const RemovedOnInterrupt removed(file.temporary());
  RATLS_TRY(ClientResponse response,
            client.request(request, [&](BytesView part) { return file.write(part); }));
  if (!is_failure(arguments, response)) RATLS_CHECK(file.finish());
  return response;
}

}  // namespace

int request(const RequestArguments& arguments) {
  const auto response = exchange(arguments);
  if (!response) return print_error(response.error());
  std::string text = arguments.include_headers ? header_text(*response) : "";
  text += response->body;
  if (!print(text)) return print_error(Error(Code::file_unwritable, "stdout", ""));
  return is_failure(arguments, *response) ? 1 : 0;
}

}  // namespace ratls::cli
