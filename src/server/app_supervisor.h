// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "ratls/server.h"
#include "server/app_process.h"
#include "server/metrics.h"
#include "server/thread.h"

namespace ratls::server {

/// check_app says what is wrong with the options. has_address: whether the app listens at an
/// address of its own choice. Errors: usage.
Result<void> check_app(const AppOptions& options, bool has_address);

/// AppSupervisor runs the processes of an app, tells the Upstreams which of them accept
/// connections, and starts those again that end. A thread of its own starts and watches them.
/// Thread-safety: one thread at a time.
class AppSupervisor {
 public:
  /// There is one upstream for each process. fixed is where the app listens when its command names
  /// neither {fd} nor {socket}. restarts counts the processes that were started again.
  AppSupervisor(AppOptions options, Upstreams& upstreams, std::optional<UpstreamAddress> fixed,
                Counter& restarts);
  AppSupervisor(const AppSupervisor&) = delete;
  AppSupervisor& operator=(const AppSupervisor&) = delete;
  ~AppSupervisor();  // stops

  /// start returns when all processes accept connections, or when the server is told to end
  /// meanwhile. Blocks: up to start_timeout. Errors: command_not_run, app_failed.
  Result<void> start();
  /// stop ends all: with SIGTERM, and after some seconds with SIGKILL. Blocks: for as long.
  void stop();

 private:
  struct Slot;

  void run();
  Result<void> start_all();
  bool all_accept();
  void watch(Slot& slot);
  Result<void> launch(Slot& slot);
  void on_end(Slot& slot, const std::string& how);
  void end_all();
  bool sleep_one_round();

  AppOptions options_;
  std::optional<UpstreamAddress> fixed_;
  std::string folder_;  // of the sockets
  Counter& restarts_;
  unsigned launches_ = 0;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::optional<Result<void>> started_;  // how start went, once it is known
  std::optional<Thread> thread_;
};

}  // namespace ratls::server
