// SPDX-License-Identifier: Apache-2.0
#include "server/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <thread>

namespace ratls::server {
namespace {

using std::chrono::milliseconds;

/// Pair is two ends that are connected.
struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    near = Descriptor(ends[0]);
    far = Descriptor(ends[1]);
  }
  void send() const { EXPECT_EQ(::write(far.get(), "x", 1), 1); }
  std::string receive() const {
    char buffer[16];
    const ssize_t size = ::read(near.get(), buffer, sizeof buffer);
    return {buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  Descriptor near;
  Descriptor far;
};

class EventLoopTest : public ::testing::Test {
 protected:
  /// run_for_a_moment has the loop come around some times.
  void run_for_a_moment(milliseconds moment = milliseconds(20)) {
    loop_->on_alarm([this] { loop_->leave(); });
    loop_->set_alarm(moment);
    loop_->run();
  }
  /// time_of_ten_looks waits anew each time that the wait is over. It is short when the loop does
  /// not come to rest between them.
  EventLoop::Clock::duration time_of_ten_looks(int descriptor, void (Watch::*wait)()) {
    std::optional<Watch> watch;
    int told = 0;
    watch.emplace(*loop_, descriptor, [&](Watch::Event event) {
      EXPECT_TRUE(wait == &Watch::wait_read ? event.read : event.write);
      if (++told == 10) leave_after_this();
      ((*watch).*wait)();
    });
    ((*watch).*wait)();
    const auto begin = EventLoop::Clock::now();
    loop_->run();
    return EventLoop::Clock::now() - begin;
  }
  void leave_after_this() {
    loop_->post([this] { loop_->leave(); });
  }

  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
};

TEST_F(EventLoopTest, RunsWhatIsPostedInItsOrderAndFromAnyThread) {
  std::string order;
  loop_->post([&] { order += 'a'; });
  std::thread other;
  loop_->post([&] {
    order += 'b';
    // The loop waits without an end when this comes.
    other = std::thread([&] {
      std::this_thread::sleep_for(milliseconds(10));
      loop_->post([&] {
        order += 'd';
        leave_after_this();
      });
    });
    loop_->post([&] { order += 'c'; });
  });
  loop_->run();
  other.join();
  EXPECT_EQ(order, "abcd");
}

TEST_F(EventLoopTest, RunsWhatIsPostedBeforeItEnds) {
  bool has_run = false;
  loop_->post([&] {
    loop_->leave();
    loop_->post([&] { loop_->post([&] { has_run = true; }); });
  });
  loop_->run();
  EXPECT_TRUE(has_run);
}

// Whoever has posted may then have caused the event, and relies on the order.
TEST_F(EventLoopTest, RunsWhatOthersPostedBeforeTheEventsThatComeWithIt) {
  const Pair pair;
  std::string order;
  Watch watch(*loop_, pair.near.get(), [&](Watch::Event) {
    order += 'e';
    leave_after_this();
  });
  watch.wait_read();
  pair.send();
  loop_->post([&] { order += 'p'; });
  loop_->run();
  EXPECT_EQ(order, "pe");
}

TEST_F(EventLoopTest, TellsOnceForEachWait) {
  const Pair pair;
  int told = 0;
  Watch watch(*loop_, pair.near.get(), [&](Watch::Event event) {
    EXPECT_TRUE(event.read);
    EXPECT_FALSE(event.write);
    ++told;
  });
  watch.wait_read();
  pair.send();
  run_for_a_moment();
  EXPECT_EQ(told, 1);
}

TEST_F(EventLoopTest, TellsAgainOfWhatWasNotRead) {
  const Pair pair;
  int told = 0;
  Watch watch(*loop_, pair.near.get(), [&](Watch::Event) { ++told; });
  pair.send();
  for (int wait = 0; wait < 3; ++wait) {
    watch.wait_read();
    run_for_a_moment();
  }
  EXPECT_EQ(told, 3);
}

TEST_F(EventLoopTest, TellsReadingFromWriting) {
  const Pair pair;
  std::string told;
  Watch watch(*loop_, pair.near.get(), [&](Watch::Event event) {
    told += event.write ? "w" : "";
    told += event.read ? "r" : "";
    if (event.write) pair.send();
    if (event.read) leave_after_this();
  });
  watch.wait_read();
  watch.wait_write();
  loop_->run();
  EXPECT_EQ(told, "wr");
}

TEST_F(EventLoopTest, TellsEveryWaitThatTheOtherSideHasGone) {
  Pair pair;
  Watch::Event told{};
  Watch watch(*loop_, pair.near.get(), [&](Watch::Event event) {
    told = event;
    leave_after_this();
  });
  pair.far.reset();
  watch.wait_read();
  watch.wait_write();
  loop_->run();
  EXPECT_TRUE(told.read);
  EXPECT_TRUE(told.write);
}

// A loop that is told again and again of what nobody waits for would keep the processor busy.
TEST_F(EventLoopTest, IsQuietAboutWhatNobodyWaitsFor) {
  Pair data;
  Pair gone;
  int told = 0;
  const auto count = [&](Watch::Event) { ++told; };
  Watch first(*loop_, data.near.get(), count);
  Watch second(*loop_, gone.near.get(), count);
  first.wait_read();
  second.wait_read();
  data.send();
  gone.far.reset();
  const std::clock_t before = std::clock();  // of processor time
  run_for_a_moment(milliseconds(300));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 10);
  EXPECT_EQ(told, 2);
  second.wait_read();  // which nobody was told of meanwhile
  run_for_a_moment();
  EXPECT_EQ(told, 3);
}

// Under Gramine a side that has sent its last byte looks like this while it does not read.
TEST_F(EventLoopTest, IsQuietAboutASideThatSendsNoMoreAndDoesNotRead) {
  const Pair pair;
  const std::string data(4096, 'x');
  while (::write(pair.near.get(), data.data(), data.size()) > 0) {
  }
  ASSERT_EQ(::shutdown(pair.near.get(), SHUT_RDWR), 0);  // EPOLLHUP, without EPOLLOUT
  EXPECT_GT(time_of_ten_looks(pair.near.get(), &Watch::wait_write), milliseconds(50));
}

TEST_F(EventLoopTest, TellsNoWatchThatHasEnded) {
  const Pair pairs[2];
  std::optional<Watch> watches[2];
  int told = 0;
  for (int i = 0; i < 2; ++i) {
    watches[i].emplace(*loop_, pairs[i].near.get(), [&, other = 1 - i](Watch::Event) {
      ++told;
      watches[other].reset();
    });
    watches[i]->wait_read();
    pairs[i].send();  // both events come at once
  }
  run_for_a_moment();
  EXPECT_EQ(told, 1);
}

// The event of a watch that has ended must not go to one that took its place.
TEST_F(EventLoopTest, TellsNoWatchOfAnothersEvent) {
  const Pair pairs[2];
  const Pair quiet;
  std::optional<Watch> watches[2];
  std::optional<Watch> next;
  int told = 0;
  for (int i = 0; i < 2; ++i) {
    watches[i].emplace(*loop_, pairs[i].near.get(), [&, other = 1 - i](Watch::Event) {
      watches[other].reset();
      next.emplace(*loop_, quiet.near.get(), [&](Watch::Event) { ++told; });
      next->wait_read();
    });
    watches[i]->wait_read();
    pairs[i].send();
  }
  run_for_a_moment();
  EXPECT_TRUE(next.has_value());
  EXPECT_EQ(told, 0);
}

TEST_F(EventLoopTest, AWatchMayEndItself) {
  const Pair pair;
  std::optional<Watch> watch;
  watch.emplace(*loop_, pair.near.get(), [&](Watch::Event) {
    leave_after_this();
    watch.reset();
  });
  watch->wait_read();
  pair.send();
  loop_->run();
  EXPECT_FALSE(watch.has_value());
}

// What cannot be waited for may be so for a while: it is looked at again and again, but not at
// once.
TEST_F(EventLoopTest, WakesWhoWaitsForWhatCannotBeWaitedFor) {
  EXPECT_GT(time_of_ten_looks(-1, &Watch::wait_read), milliseconds(50));
}

TEST_F(EventLoopTest, AnAlarmRingsOnce) {
  int rung = 0;
  loop_->on_alarm([&] {
    if (++rung == 1) return loop_->set_alarm(milliseconds(0));
    EXPECT_FALSE(loop_->has_alarm());
    leave_after_this();
  });
  loop_->set_alarm(milliseconds(5));
  loop_->run();
  EXPECT_EQ(rung, 2);
}

}  // namespace
}  // namespace ratls::server
