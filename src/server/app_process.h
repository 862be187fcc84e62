// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "server/upstream.h"

namespace ratls::server {

/// Placeholders says which ways to a socket a command asks for.
struct Placeholders {
  bool fd = false;      ///< {fd}
  bool socket = false;  ///< {socket}
};
Placeholders placeholders_of(const std::vector<std::string>& command);

/// AppProcess is one running process of an app, in a process group of its own, so that a Ctrl-C at
/// the terminal does not end it before its requests are answered. What it writes to stdout goes to
/// stderr. The system ends it with the thread that started it (where prctl(2) exists). Move-only.
/// Thread-safety: only the thread that started it.
class AppProcess {
 public:
  /// start runs the command; address is where it will listen: with {fd} and {socket} a path to be
  /// made. Errors: command_not_run, app_failed.
  static Result<AppProcess> start(const std::vector<std::string>& command, UpstreamAddress address,
                                  const std::string& path);
  AppProcess(AppProcess&&) noexcept;
  AppProcess& operator=(AppProcess&&) noexcept;
  ~AppProcess();  // kills

  const UpstreamAddress& address() const noexcept { return address_; }
  /// accepts says whether the app takes connections. True once means true from then on.
  bool accepts();
  /// end says how the process ended, in words; nothing while it runs.
  std::optional<std::string> end();
  /// terminate asks it to end (SIGTERM).
  void terminate();

 private:
  AppProcess(pid_t pid, UpstreamAddress address, Descriptor listener)
      : pid_(pid), address_(std::move(address)), listener_(std::move(listener)) {}
  void kill();
  Descriptor connect() const;

  pid_t pid_ = -1;  // -1: none, or its end is known
  UpstreamAddress address_;
  Descriptor listener_;             // that of {fd}, until the app accepts
  std::vector<Descriptor> queued_;  // connections that wait for the app
  std::string ended_;
};

}  // namespace ratls::server
