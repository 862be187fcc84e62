// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "ratls/result.h"

namespace ratls::server {

class Watch;

/// EventLoop tells Watches that their descriptors are ready, and runs what is posted, on the thread
/// that runs it. Thread-safety: post() from any thread; the rest before run(), then from its
/// thread.
class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;

  /// create opens what the loop waits with. Errors: internal.
  static Result<std::unique_ptr<EventLoop>> create();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// run goes on until leave(), and then until nothing posted is left. Blocks.
  void run();
  void leave() noexcept { leaving_ = true; }
  /// post has the task run: what the loop's thread posts after the events that are ready now, what
  /// others post before those that come later. Without a run() it never is.
  void post(Task task);

  /// on_alarm says what an alarm does. There is one alarm at a time, which rings once: when the
  /// delay has passed, or earlier, when the clock is set back.
  void on_alarm(Task ring) { ring_ = std::move(ring); }
  void set_alarm(Clock::duration delay);
  bool has_alarm() const noexcept { return alarm_.has_value(); }

 private:
  friend class Watch;

  // What epoll knows a watch by. A place is used again, its generation is not: an event that was on
  // its way when a watch ended finds nobody.
  struct Place {
    Watch* watch = nullptr;
    std::uint32_t generation = 0;
  };

  /// Pause is a time that passes, by a clock that may jump.
  struct Pause {
    Clock::time_point begin;
    Clock::duration length;
    Clock::duration left() const;
  };

  EventLoop(Descriptor epoll, Descriptor wake_up);
  std::uint64_t join(Watch& watch);
  void part(std::uint64_t key) noexcept;
  void look_again(std::uint64_t key);
  void wait_and_tell();
  bool control(int operation, int descriptor, std::uint32_t events, std::uint64_t key) noexcept;
  int patience();
  void tell(std::uint64_t key, std::uint32_t events);
  void tell_again();
  void ring_alarm();
  bool run_posted();

  Descriptor epoll_;
  Descriptor wake_up_;  // an eventfd, readable when another thread has posted
  std::vector<Place> places_;
  std::vector<std::uint32_t> free_;   // places without a watch
  std::vector<std::uint64_t> again_;  // watches of which epoll does not tell in time
  std::size_t told_again_ = 0;        // so many the last time
  std::optional<Pause> until_again_;
  std::optional<Pause> alarm_;
  Task ring_;
  bool leaving_ = false;
  bool is_failing_ = false;              // epoll_wait
  std::atomic<std::thread::id> thread_;  // that runs
  std::mutex mutex_;                     // for posted_
  std::vector<Task> posted_;             // ends first: tasks may hold watches
};

/// Watch waits until a descriptor is ready, once for each call of a wait. The loop and the
/// descriptor must live longer. Thread-safety: only on the loop's thread.
class Watch {
 public:
  /// Event says which of the waits are over; all are when the other side has gone.
  struct Event {
    bool read;
    bool write;
  };
  /// Ready may end the watch.
  using Ready = std::function<void(Event)>;

  Watch(EventLoop& loop, int descriptor, Ready ready);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void wait_read();
  void wait_write();

 private:
  friend class EventLoop;
  void on_events(std::uint32_t events);
  void hear(std::uint32_t event);
  void ignore(std::uint32_t events);

  EventLoop& loop_;
  const int descriptor_;
  const Ready ready_;
  const std::uint64_t key_;
  std::uint32_t heard_ = 0;  // events that epoll tells of
  bool is_known_ = false;    // to epoll
  bool waits_read_ = false;
  bool waits_write_ = false;
};

}  // namespace ratls::server
