// SPDX-License-Identifier: Apache-2.0
#include "server/dialer.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <thread>

namespace ratls::server {
namespace {

/// DialerTest has a dialer, of one thread unless a test says otherwise, whose attempts begin and
/// end when a test says so.
class DialerTest : public ::testing::Test {
 protected:
  ~DialerTest() override { may_end_.release(kMany); }

  std::unique_ptr<Dialer> start(unsigned threads) {
    const auto connect = [this]() -> Result<Link> {
      ++attempts_;
      begun_.release();
      may_end_.acquire();
      if (fails_) return Error(Code::timeout, "test", "late");
      return Link(Descriptor(::open("/dev/null", O_CLOEXEC)));
    };
    return Dialer::start(connect, threads).value();
  }
  std::shared_ptr<Dialing> begin() {
    return dialer_->begin(*loop_, [this] {
      if (++woken_ == wanted_) loop_->leave();
    });
  }
  void wait_for_attempt() { begun_.acquire(); }
  void let_end() { may_end_.release(); }
  /// run_until_woken has the loop run until so many wakes have come in all.
  void run_until_woken(int count) {
    wanted_ = count;
    loop_->run();
  }

  static constexpr std::ptrdiff_t kMany = 100;
  static constexpr std::chrono::milliseconds kMoment{50};
  std::counting_semaphore<> begun_{0};
  std::counting_semaphore<> may_end_{0};
  std::atomic<int> attempts_{0};
  std::atomic<bool> fails_{false};
  int woken_ = 0;
  int wanted_ = 0;
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  std::unique_ptr<Dialer> dialer_ = start(1);
};

TEST_F(DialerTest, GivesAConnectionWhileTheLoopDoesOtherThings) {
  const auto dialing = begin();
  wait_for_attempt();
  bool did_other_things = false;
  loop_->post([&] {
    did_other_things = true;
    EXPECT_FALSE(dialing->take());
    let_end();
  });
  run_until_woken(1);
  EXPECT_TRUE(did_other_things);
  const auto outcome = dialing->take();
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_TRUE(std::get<Descriptor>(**outcome));
  EXPECT_FALSE(dialing->take());
}

TEST_F(DialerTest, GivesAnErrorToOneOnly) {
  fails_ = true;
  const auto first = begin();
  const auto second = begin();
  wait_for_attempt();
  let_end();
  run_until_woken(1);
  EXPECT_EQ(first->take().value().error().code(), Code::timeout);
  EXPECT_FALSE(second->take());
  fails_ = false;
  let_end();
  run_until_woken(2);
  EXPECT_TRUE(second->take().value().has_value());
}

TEST_F(DialerTest, GivesWhatNobodyWantsAnyMoreToTheNext) {
  auto first = begin();
  wait_for_attempt();
  first.reset();
  const auto second = begin();
  let_end();
  run_until_woken(1);
  EXPECT_TRUE(second->take().value().has_value());
  EXPECT_EQ(attempts_, 1);
}

TEST_F(DialerTest, GivesNobodyTheErrorOfOneWhoHasGone) {
  fails_ = true;
  auto first = begin();
  wait_for_attempt();
  first.reset();
  const auto second = begin();
  let_end();
  wait_for_attempt();
  EXPECT_FALSE(second->take());
  fails_ = false;
  let_end();
  run_until_woken(1);
  EXPECT_TRUE(second->take().value().has_value());
}

TEST_F(DialerTest, MakesAsManyAtATimeAsItHasThreads) {
  dialer_ = start(2);
  auto gone = begin();
  wait_for_attempt();
  gone.reset();
  // Not held up by what is made for somebody who has gone.
  const auto second = begin();
  wait_for_attempt();
  const auto third = begin();
  EXPECT_FALSE(begun_.try_acquire_for(kMoment));
  EXPECT_EQ(attempts_, 2);
}

TEST_F(DialerTest, MakesNoneForThoseWhoHaveGone) {
  const auto first = begin();
  wait_for_attempt();
  begin().reset();
  begin().reset();
  let_end();
  run_until_woken(1);
  EXPECT_FALSE(begun_.try_acquire_for(kMoment));
  const auto last = begin();
  wait_for_attempt();
  let_end();
  run_until_woken(2);
  EXPECT_TRUE(last->take().value().has_value());
  EXPECT_EQ(attempts_, 2);
}

TEST_F(DialerTest, RefusesWhenTooManyWait) {
  std::vector<std::shared_ptr<Dialing>> waiting;
  while (waiting.size() < Dialer::kMostWaiting) waiting.push_back(begin());
  wait_for_attempt();  // its turn has come
  waiting.push_back(begin());
  EXPECT_EQ(begin(), nullptr);
  // Those who have gone make room.
  waiting.pop_back();
  EXPECT_NE(begin(), nullptr);
}

TEST_F(DialerTest, EndsWhenTheOneThatIsBeingMadeIsMade) {
  const auto wanted = begin();
  const auto waiting = begin();
  wait_for_attempt();
  std::atomic<bool> has_ended{false};
  std::thread end([&] {
    dialer_.reset();
    has_ended = true;
  });
  std::this_thread::sleep_for(kMoment);
  EXPECT_FALSE(has_ended);
  may_end_.release(kMany);
  end.join();
  EXPECT_TRUE(wanted->take().value().has_value());
}

}  // namespace
}  // namespace ratls::server
