// SPDX-License-Identifier: Apache-2.0
#include "server/app_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace ratls::server {
namespace {

constexpr std::string_view kFd = "{fd}";
constexpr std::string_view kSocket = "{socket}";
constexpr int kInheritedFd = 3;  // the first after stdin, stdout and stderr, as in systemd
constexpr int kFirstOwnFd = 10;  // so that kInheritedFd is free
constexpr int kLongestQueue = 4096;
// What sockets have under gramine-direct, whatever they are told. It holds one connection more.
constexpr int kShortQueue = 1;

std::string replaced(std::string text, std::string_view what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

Error app_failed(const std::string& where, int error) {
  return Error(Code::app_failed, where, std::generic_category().message(error));
}

/// move_up gives the same file another number, away from kInheritedFd.
Descriptor move_up(Descriptor from) {
  return Descriptor(::fcntl(from.get(), F_DUPFD_CLOEXEC, kFirstOwnFd));
}

/// listen_at makes a listening socket with a short queue: see AppProcess::accepts.
Result<Descriptor> listen_at(const UpstreamAddress& address) {
  Descriptor socket = move_up(Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  if (!socket || ::bind(socket.get(), address.data(), address.size()) != 0 ||
      ::listen(socket.get(), kShortQueue) != 0) {
    return app_failed(address.text(), errno);
  }
  return socket;
}

/// Child is what a forked child needs to become the app; all of it is made before the fork, because
/// a child of a process with threads may only call what is safe in a signal handler.
struct Child {
  std::vector<char*> arguments;
  int inherited;  // -1: none
  int report;     // where the number of an error goes
  pid_t parent;
};

[[noreturn]] void become_app(const Child& child) {
  ::setpgid(0, 0);
  // Gramine has no prctl: there the app ends with the enclave.
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && ::getppid() != child.parent) ::_exit(1);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  if (child.inherited < 0 || ::dup2(child.inherited, kInheritedFd) == kInheritedFd) {
    ::execvp(child.arguments.front(), child.arguments.data());
  }
  const int error = errno;
  if (::write(child.report, &error, sizeof error) < 0) ::_exit(126);
  ::_exit(127);
}

/// fork_and_exec gives the process, or the error of its exec.
Result<pid_t> fork_and_exec(std::vector<std::string> command, int inherited) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return app_failed(command.front(), errno);
  Descriptor report_read(ends[0]);
  Descriptor report_write = move_up(Descriptor(ends[1]));
  Child child{{}, inherited, report_write.get(), ::getpid()};
  for (std::string& argument : command) child.arguments.push_back(argument.data());
  child.arguments.push_back(nullptr);
  // Not _Fork(3), which would let the other threads allocate memory, and so go on, until it
  // returns: under Gramine, where that takes seconds, a client's socket that is closed meanwhile
  // makes it fail (tried with 1.9).
  const pid_t pid = ::fork();
  if (pid < 0) return app_failed(command.front(), errno);
  if (pid == 0) become_app(child);
  report_write.reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(report_read.get(), &error, sizeof error);  // ends with the exec
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof error)) return pid;
  ::waitpid(pid, nullptr, 0);
  return Error(Code::command_not_run, command.front(), std::generic_category().message(error));
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Placeholders placeholders_of(const std::vector<std::string>& command) {
  Placeholders found;
  for (const std::string& argument : command) {
    found.fd = found.fd || argument.find(kFd) != std::string::npos;
    found.socket = found.socket || argument.find(kSocket) != std::string::npos;
  }
  return found;
}

Result<AppProcess> AppProcess::start(const std::vector<std::string>& command,
                                     UpstreamAddress address, const std::string& path) {
  Descriptor listener;
  if (placeholders_of(command).fd) {
    RATLS_TRY(listener, listen_at(address));
  }
  std::vector<std::string> filled;
  for (const std::string& argument : command) {
    filled.push_back(
        replaced(replaced(argument, kFd, std::to_string(kInheritedFd)), kSocket, path));
  }
  RATLS_TRY(const pid_t pid, fork_and_exec(std::move(filled), listener.get()));
  return AppProcess(pid, std::move(address), std::move(listener));
}

AppProcess::AppProcess(AppProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      address_(std::move(other.address_)),
      listener_(std::move(other.listener_)),
      queued_(std::move(other.queued_)),
      ended_(std::move(other.ended_)) {}

AppProcess& AppProcess::operator=(AppProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(address_, other.address_);
  std::swap(listener_, other.listener_);
  std::swap(queued_, other.queued_);
  std::swap(ended_, other.ended_);
  return *this;
}

AppProcess::~AppProcess() { kill(); }

Descriptor AppProcess::connect() const {
  Descriptor socket(
      ::socket(address_.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket && ::connect(socket.get(), address_.data(), address_.size()) == 0) return socket;
  return errno == EINPROGRESS ? std::move(socket) : Descriptor();
}

// A socket that was inherited can be connected to before the app looks at it. Its queue has room
// for a few connections, so that another one succeeds only when the app has made the queue longer
// (listen) or has taken the first one (accept).
bool AppProcess::accepts() {
  const std::size_t needed = listener_ ? kShortQueue + 2 : 1;
  while (queued_.size() < needed) {
    Descriptor next = connect();
    if (!next) return false;
    queued_.push_back(std::move(next));
  }
  if (listener_) {
    // An app that only accepts keeps the queue that it was given.
    ::listen(listener_.get(), kLongestQueue);
    // From here on the queue ends with the app, and a request in it is not left waiting.
    listener_.reset();
  }
  queued_.clear();
  return true;
}

std::optional<std::string> AppProcess::end() {
  if (pid_ < 0) return ended_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  // Whatever it has started itself would keep its socket.
  ::kill(-pid_, SIGKILL);
  pid_ = -1;
  ended_ = describe_end(status);
  return ended_;
}

void AppProcess::terminate() {
  if (pid_ > 0) ::kill(pid_, SIGTERM);
}

void AppProcess::kill() {
  if (pid_ < 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace ratls::server
