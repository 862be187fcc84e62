// SPDX-License-Identifier: Apache-2.0
#include "server/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "server/log.h"

// Level-triggered, because Gramine tells of an edge only after a read that came back short. An
// event stays switched on while it is waited for again and again, as a client's next request is,
// and is switched off when it comes and nobody waits: a request takes no epoll_ctl(2).
namespace ratls::server {
namespace {

constexpr std::size_t kEventsAtOnce = 256;
using Milliseconds = std::chrono::milliseconds::rep;
constexpr Milliseconds kLongestWait = 60'000;
constexpr std::chrono::milliseconds kPause{10};
constexpr std::chrono::milliseconds kPauseForEach{1};  // so that many take no more time than few
constexpr std::uint64_t kWakeUp = std::numeric_limits<std::uint64_t>::max();
// Told of whether one wants to hear it or not (epoll_ctl(2)).
constexpr std::uint32_t kAlwaysTold = EPOLLERR | EPOLLHUP;
constexpr std::uint32_t kAll = EPOLLIN | EPOLLOUT | kAlwaysTold;

std::uint32_t place_of(std::uint64_t key) { return static_cast<std::uint32_t>(key); }
std::uint32_t generation_of(std::uint64_t key) { return static_cast<std::uint32_t>(key >> 32); }

}  // namespace

EventLoop::EventLoop(Descriptor epoll, Descriptor wake_up)
    : epoll_(std::move(epoll)), wake_up_(std::move(wake_up)) {}

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  Descriptor wake_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(epoll), std::move(wake_up)));
  if (!loop->epoll_ || !loop->wake_up_ ||
      !loop->control(EPOLL_CTL_ADD, loop->wake_up_.get(), EPOLLIN, kWakeUp)) {
    const std::string reason = std::strerror(errno);
    return Error(Code::internal, "event loop", "cannot be made: " + reason);
  }
  return loop;
}

void EventLoop::run() {
  thread_ = std::this_thread::get_id();
  while (!leaving_) {
    wait_and_tell();
    tell_again();
    ring_alarm();
    run_posted();
  }
  while (run_posted()) {
  }
  leaving_ = false;
}

void EventLoop::wait_and_tell() {
  std::array<epoll_event, kEventsAtOnce> events;
  const int most = static_cast<int>(events.size());
  const int count = ::epoll_wait(epoll_.get(), events.data(), most, patience());
  const bool fails = count < 0 && errno != EINTR;
  if (fails) {
    if (!is_failing_) log(LogLevel::error, std::string("epoll_wait: ") + std::strerror(errno));
    std::this_thread::sleep_for(kPause);
  }
  is_failing_ = fails;
  const auto begin = events.begin();
  const auto end = begin + std::max(count, 0);
  const auto wakes_up = [](const epoll_event& event) { return event.data.u64 == kWakeUp; };
  // What another thread has posted comes before the events that it may have caused.
  if (std::any_of(begin, end, wakes_up)) run_posted();
  std::for_each(begin, end, [&](const epoll_event& event) { tell(event.data.u64, event.events); });
}

EventLoop::Clock::duration EventLoop::Pause::left() const {
  const auto passed = Clock::now() - begin;
  return passed < Clock::duration::zero() ? Clock::duration::zero() : length - passed;
}

void EventLoop::set_alarm(Clock::duration delay) { alarm_ = Pause{Clock::now(), delay}; }

/// patience is how long to wait for events, in milliseconds.
int EventLoop::patience() {
  {
    const std::lock_guard lock(mutex_);
    if (!posted_.empty()) return 0;
  }
  Milliseconds least = kLongestWait;
  for (const auto& pause : {alarm_, until_again_}) {
    if (!pause) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(pause->left()).count();
    least = std::clamp<Milliseconds>(left, 0, least);
  }
  return static_cast<int>(least);
}

void EventLoop::tell(std::uint64_t key, std::uint32_t events) {
  if (key == kWakeUp) {
    std::uint64_t count;
    if (::read(wake_up_.get(), &count, sizeof count) < 0) return;  // nothing was in it
    return;
  }
  const Place& place = places_[place_of(key)];
  if (place.watch != nullptr && place.generation == generation_of(key)) {
    place.watch->on_events(events);
  }
}

/// look_again tells a watch a little later what epoll cannot tell it.
void EventLoop::look_again(std::uint64_t key) {
  again_.push_back(key);
  if (!until_again_) until_again_ = Pause{Clock::now(), kPause + told_again_ * kPauseForEach};
}

void EventLoop::tell_again() {
  if (!until_again_ || until_again_->left() > Clock::duration::zero()) return;
  until_again_.reset();
  const std::vector<std::uint64_t> keys = std::exchange(again_, {});
  told_again_ = keys.size();
  for (const std::uint64_t key : keys) tell(key, kAll);
}

void EventLoop::ring_alarm() {
  if (!alarm_ || alarm_->left() > Clock::duration::zero()) return;
  alarm_.reset();
  ring_();
}

void EventLoop::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  // The loop itself looks before it waits.
  if (thread_ == std::this_thread::get_id()) return;
  const std::uint64_t one = 1;
  // It fails only when the loop is to wake up already.
  if (::write(wake_up_.get(), &one, sizeof one) < 0) return;
}

/// run_posted is false when there was nothing to run.
bool EventLoop::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const Task& task : tasks) task();
  return !tasks.empty();
}

std::uint64_t EventLoop::join(Watch& watch) {
  if (free_.empty()) {
    places_.emplace_back();
    free_.reserve(places_.capacity());  // so that part() needs no memory
    free_.push_back(static_cast<std::uint32_t>(places_.size() - 1));
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  places_[index].watch = &watch;
  return std::uint64_t{places_[index].generation} << 32 | index;
}

void EventLoop::part(std::uint64_t key) noexcept {
  Place& place = places_[place_of(key)];
  place.watch = nullptr;
  ++place.generation;
  free_.push_back(place_of(key));
}

bool EventLoop::control(int operation, int descriptor, std::uint32_t events,
                        std::uint64_t key) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  return ::epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0;
}

Watch::Watch(EventLoop& loop, int descriptor, Ready ready)
    : loop_(loop), descriptor_(descriptor), ready_(std::move(ready)), key_(loop.join(*this)) {}

Watch::~Watch() {
  if (is_known_) loop_.control(EPOLL_CTL_DEL, descriptor_, 0, key_);
  loop_.part(key_);
}

void Watch::wait_read() {
  waits_read_ = true;
  hear(EPOLLIN);
}

void Watch::wait_write() {
  waits_write_ = true;
  hear(EPOLLOUT);
}

/// hear has epoll tell of one event more.
void Watch::hear(std::uint32_t event) {
  if ((heard_ & event) != 0) return;
  const int operation = is_known_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (loop_.control(operation, descriptor_, heard_ | event, key_)) {
    is_known_ = true;
    heard_ |= event;
    return;
  }
  loop_.look_again(key_);
}

void Watch::on_events(std::uint32_t events) {
  // Who waits to write to the other side that has gone is to find out.
  const bool has_gone = (events & kAlwaysTold) != 0;
  const bool read = waits_read_ && (has_gone || (events & EPOLLIN) != 0);
  const bool write = waits_write_ && (has_gone || (events & EPOLLOUT) != 0);
  if (!read && !write) return ignore(events);
  // Gramine tells so of the end of what the other side sends, which may still read, for as long as
  // it lasts.
  if (!read && (events & (EPOLLOUT | EPOLLERR)) == 0) {
    ignore(events);
    return loop_.look_again(key_);
  }
  if (read) waits_read_ = false;
  if (write) waits_write_ = false;
  ready_({read, write});
}

/// ignore keeps epoll from telling the same again, until somebody waits for it.
void Watch::ignore(std::uint32_t events) {
  if ((events & kAlwaysTold) != 0) {
    loop_.control(EPOLL_CTL_DEL, descriptor_, 0, key_);
    is_known_ = false;
    heard_ = 0;
    return;
  }
  heard_ &= ~events;
  loop_.control(EPOLL_CTL_MOD, descriptor_, heard_, key_);
}

}  // namespace ratls::server
