// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "cli/print.h"

namespace ratls::cli {
namespace {

constexpr const char* kClearLine = "\r\x1b[K";

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string amount(std::uint64_t bytes) {
  constexpr double kKiB = 1024;
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto number = static_cast<double>(bytes) / kKiB;
  std::string_view unit = "KiB";
  for (const std::string_view larger : {"MiB", "GiB", "TiB"}) {
    if (number < kKiB) break;
    number /= kKiB;
    unit = larger;
  }
  return fmt::format("{:.1f} {}", number, unit);
}

// What does not fit into the width is left out: the bar first, the numbers next.
std::string line_of(std::string_view verb, std::uint64_t done, std::uint64_t all,
                    std::size_t width) {
  constexpr std::size_t kShortestBar = 10;
  std::string text = std::string(verb) + " " + amount(done);
  const auto fitting = [&](std::string shorter) { return shorter.size() <= width ? shorter : ""; };
  if (all == 0) return text.size() <= width ? text : fitting(amount(done));
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
  const std::string percent = fmt::format("{:3}%", static_cast<int>(part * 100));
  text += " of " + amount(all) + " " + percent;
  if (text.size() > width) return fitting(percent);
  if (text.size() + kShortestBar + 3 > width) return text;
  const std::size_t length = width - text.size() - 3;
  const auto full = static_cast<std::size_t>(part * static_cast<double>(length));
  return text + " [" + green(std::string(full, '#')) + std::string(length - full, '.') + "]";
}

}  // namespace

ProgressBar::~ProgressBar() {
  if (drawn_) print_note(kClearLine);
}

void ProgressBar::show(const Progress& progress) {
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  drawn_ = true;
  // The last column stays free: some terminals go to the next line there.
  const std::size_t width = terminal_width() - 1;
  const bool sending = progress.sent < progress.to_send;
  print_note(kClearLine +
             (sending ? line_of("sent", progress.sent, progress.to_send, width)
                      : line_of("received", progress.received, progress.to_receive, width)));
}

}  // namespace ratls::cli
