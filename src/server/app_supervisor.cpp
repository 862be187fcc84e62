// SPDX-License-Identifier: Apache-2.0
#include "server/app_supervisor.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "server/log.h"
#include "server/signals.h"

namespace ratls::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned kMostProcesses = 256;
// Pauses are counted in rounds and not in time, because a host may make the clock jump.
constexpr milliseconds kRound{50};
constexpr unsigned kRoundsPerSecond = 20;
constexpr unsigned kLongestPause = 30 * kRoundsPerSecond;
// A process that lived as long has not failed at its start.
constexpr unsigned kLongLife = 60 * kRoundsPerSecond;
constexpr unsigned kRoundsToEnd = 10 * kRoundsPerSecond;

}  // namespace

struct AppSupervisor::Slot {
  Slot(unsigned its_number, Upstream& its_upstream) : number(its_number), upstream(its_upstream) {}

  unsigned number;
  Upstream& upstream;
  std::optional<AppProcess> process;
  bool accepts = false;
  unsigned age = 0;    // rounds since it was started
  unsigned pause = 0;  // rounds to wait after the next end
  unsigned wait = 0;   // rounds until it is started
};

Result<void> check_app(const AppOptions& options, bool has_address) {
  if (options.command.empty() || options.command.front().empty()) {
    return Error(Code::usage, "command", "a command to run is needed");
  }
  if (options.processes < 1 || options.processes > kMostProcesses) {
    return Error(Code::usage, "workers", "must be 1 to " + std::to_string(kMostProcesses));
  }
  if (options.start_timeout < seconds(1) || options.start_timeout > std::chrono::hours(24)) {
    return Error(Code::usage, "start_timeout", "must be 1s to 1d");
  }
  const Placeholders found = placeholders_of(options.command);
  if (found.fd && found.socket) {
    return Error(Code::usage, "command", "{fd} and {socket} are two ways to say one thing");
  }
  if (has_address && (found.fd || found.socket)) {
    return Error(Code::usage, "command", "{fd} and {socket} take the place of an upstream address");
  }
  if (has_address && options.processes > 1) {
    return Error(Code::usage, "workers", "several processes cannot listen at one address");
  }
  if (!has_address && !found.fd && !found.socket) {
    return Error(Code::usage, "command",
                 "it has to name {fd} or {socket}, so that the app can be reached");
  }
  return {};
}

AppSupervisor::AppSupervisor(AppOptions options, Upstreams& upstreams,
                             std::optional<UpstreamAddress> fixed, Counter& restarts)
    : options_(std::move(options)), fixed_(std::move(fixed)), restarts_(restarts) {
  for (unsigned number = 0; number < options_.processes; ++number) {
    upstreams.at(number).set_down();  // until it accepts connections
    slots_.push_back(std::make_unique<Slot>(number, upstreams.at(number)));
  }
}

AppSupervisor::~AppSupervisor() { stop(); }

Result<void> AppSupervisor::start() {
  std::string folder = "/tmp/ratls-XXXXXX";  // mode 0700
  if (::mkdtemp(folder.data()) == nullptr) {
    return Error(Code::app_failed, folder, std::generic_category().message(errno));
  }
  folder_ = folder;
  RATLS_TRY(Thread thread, Thread::start("ratls-apps", [this] { run(); }));
  thread_.emplace(std::move(thread));
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return started_.has_value(); });
  return *started_;
}

void AppSupervisor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_) thread_->join();
  thread_.reset();
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
  folder_.clear();
}

// All of a process's life is on this thread: with the thread that forked it a process would end.
void AppSupervisor::run() {
  Result<void> outcome = start_all();
  const bool failed = !outcome;
  {
    const std::lock_guard lock(mutex_);
    started_ = std::move(outcome);
    stopping_ = stopping_ || failed;
  }
  changed_.notify_all();
  while (sleep_one_round()) {
    for (const auto& slot : slots_) watch(*slot);
  }
  end_all();
}

Result<void> AppSupervisor::start_all() {
  for (const auto& slot : slots_) RATLS_CHECK(launch(*slot));
  const auto rounds = static_cast<unsigned>(options_.start_timeout / kRound);
  for (unsigned round = 0; !all_accept(); ++round) {
    for (const auto& slot : slots_) {
      const auto end = slot->process->end();
      if (end) {
        return Error(Code::app_failed, options_.command.front(),
                     "it " + *end + " before it accepted a connection");
      }
    }
    if (round >= rounds) {
      return Error(Code::app_failed, options_.command.front(),
                   "it accepted no connection in " + format_duration(options_.start_timeout));
    }
    if (termination_is_pending() || !sleep_one_round()) return {};
  }
  return {};
}

bool AppSupervisor::all_accept() {
  for (const auto& slot : slots_) {
    if (slot->accepts) continue;
    slot->accepts = slot->process->accepts();
    if (slot->accepts) slot->upstream.set_address(slot->process->address());
  }
  return std::ranges::all_of(slots_, [](const auto& slot) { return slot->accepts; });
}

Result<void> AppSupervisor::launch(Slot& slot) {
  // A new path for each: under Gramine a socket's name cannot be removed.
  const std::string path = folder_ + "/" + std::to_string(launches_++) + ".sock";
  UpstreamAddress address;
  if (fixed_) {
    address = *fixed_;
  } else {
    RATLS_TRY(address, UpstreamAddress::unix_socket(path));
  }
  RATLS_TRY(slot.process, AppProcess::start(options_.command, std::move(address), path));
  slot.age = 0;
  slot.accepts = false;
  return {};
}

void AppSupervisor::watch(Slot& slot) {
  if (!slot.process) {
    if (slot.wait > 0 && --slot.wait > 0) return;
    const auto launched = launch(slot);
    if (!launched) return on_end(slot, "could not be started: " + launched.error().message());
    restarts_.add();
    return;
  }
  ++slot.age;
  if (const auto end = slot.process->end()) return on_end(slot, *end);
  if (slot.accepts || !slot.process->accepts()) return;
  slot.accepts = true;
  slot.upstream.set_address(slot.process->address());
  log(LogLevel::info, "app process " + std::to_string(slot.number) + " accepts connections again");
}

void AppSupervisor::on_end(Slot& slot, const std::string& how) {
  slot.upstream.set_down();
  slot.process.reset();
  slot.accepts = false;
  if (slot.age >= kLongLife) slot.pause = 0;
  slot.wait = std::max(slot.pause, 1U);
  slot.pause = std::clamp(slot.pause * 2, kRoundsPerSecond, kLongestPause);
  slot.age = 0;
  log(LogLevel::error, "app process " + std::to_string(slot.number) + " " + how +
                           "; it is started again in " +
                           std::to_string(slot.wait / kRoundsPerSecond) + " s");
}

void AppSupervisor::end_all() {
  for (const auto& slot : slots_) {
    slot->upstream.set_down();
    if (slot->process) slot->process->terminate();
  }
  const auto all_ended = [this] {
    return std::ranges::all_of(
        slots_, [](const auto& slot) { return !slot->process || slot->process->end(); });
  };
  for (unsigned round = 0; round < kRoundsToEnd && !all_ended(); ++round) {
    std::this_thread::sleep_for(kRound);
  }
  for (const auto& slot : slots_) slot->process.reset();
}

/// sleep_one_round is false when it is time to stop.
bool AppSupervisor::sleep_one_round() {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, kRound, [this] { return stopping_; });
}

}  // namespace ratls::server
