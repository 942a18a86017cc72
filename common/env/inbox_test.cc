#include "common/env/inbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "common/your_code_here.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"

namespace tinykv {
namespace {

using std::chrono::seconds;
using Batches = std::vector<std::vector<int>>;
using IntInbox = Inbox<int>;

// An inbox under virtual time, and what its handler was given.
class InboxTest : public testing::Test {
 protected:
  std::shared_ptr<IntInbox> Make() {
    return std::make_shared<IntInbox>(
        executor_, [this](std::vector<int> messages) { batches_.push_back(std::move(messages)); });
  }

  void RunFor(Duration time) {
    executor_.RunFor(time);
    executor_.RunUntilIdle();  // what the last timer has posted
  }

  sim::SimClock clock_;
  sim::SimExecutor executor_{clock_};
  Batches batches_;
};

TEST_F(InboxTest, AllThatWaitsIsHandledAtOnceAndInOrder) {
  const auto inbox = Make();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(inbox->Post(i));
  EXPECT_TRUE(batches_.empty());  // never inside Post()
  executor_.RunUntilIdle();
  EXPECT_EQ(batches_, (Batches{{0, 1, 2}}));
  EXPECT_TRUE(inbox->Post(3));
  executor_.RunUntilIdle();
  EXPECT_EQ(batches_, (Batches{{0, 1, 2}, {3}}));
  EXPECT_EQ(executor_.run_count(), 2u);  // and nothing runs where nothing waits
}

TEST_F(InboxTest, WhatTheHandlerPostsIsHandledNextAndNotInsideOfIt) {
  bool is_inside = false;
  std::shared_ptr<IntInbox> inbox;
  inbox = std::make_shared<IntInbox>(executor_, [&](std::vector<int> messages) {
    EXPECT_FALSE(is_inside);
    is_inside = true;
    if (messages.front() < 3) inbox->Post(messages.front() + 1);
    // As in an engine's write that has to wait: other tasks run meanwhile.
    executor_.RunOne();
    batches_.push_back(std::move(messages));
    is_inside = false;
  });
  inbox->Post(1);
  executor_.RunUntilIdle();
  EXPECT_EQ(batches_, (Batches{{1}, {2}, {3}}));
  inbox->Close();
}

TEST_F(InboxTest, AClosedInboxDropsWhatIsPosted) {
  const auto inbox = Make();
  inbox->Close();
  EXPECT_FALSE(inbox->Post(1));
  EXPECT_EQ(executor_.ready_count(), 0u);
  inbox->Close();  // once more does no harm
  EXPECT_TRUE(batches_.empty());
}

TEST_F(InboxTest, CloseReturnsWhenWhatWasPostedIsHandled) {
  const auto inbox = Make();
  inbox->Post(1);
  inbox->Post(2);
  inbox->Close();
  EXPECT_EQ(batches_, (Batches{{1, 2}}));
  EXPECT_EQ(executor_.ready_count(), 0u);
}

TEST_F(InboxTest, AHandlerThatThrowsIsNotCalledAgainAndNobodyWaitsForIt) {
  const auto inbox =
      std::make_shared<IntInbox>(executor_, [](const std::vector<int>&) { YourCodeHere("1-a"); });
  inbox->Post(1);
  EXPECT_THROW(executor_.RunUntilIdle(), NotStarted);
  EXPECT_FALSE(inbox->Post(2));
  executor_.RunUntilIdle();
  inbox->Close();
}

TEST_F(InboxTest, AMessageForLaterComesWhenItsTimeHasCome) {
  const auto inbox = Make();
  inbox->PostAfter(seconds(2), 2);
  inbox->PostAfter(seconds(1), 1);
  executor_.RunUntilIdle();
  EXPECT_TRUE(batches_.empty());
  RunFor(seconds(1));
  EXPECT_EQ(batches_, (Batches{{1}}));
  RunFor(seconds(1));
  EXPECT_EQ(batches_, (Batches{{1}, {2}}));
}

TEST_F(InboxTest, ATimerThatFiresAfterTheActorIsGoneFindsAClosedInbox) {
  {
    const auto inbox = Make();
    inbox->PostAfter(seconds(1), 1);
    inbox->Close();
  }
  RunFor(seconds(2));
  EXPECT_TRUE(batches_.empty());
  EXPECT_EQ(executor_.delayed_count(), 0u);
}

TEST(InboxMessage, ThatIsDroppedIsDestroyedOutsideOfTheLock) {
  // Its end posts another, which would wait for the lock for ever.
  struct Message {
    std::shared_ptr<void> at_end;
  };
  sim::SimClock clock;
  sim::SimExecutor executor(clock);
  const auto inbox = std::make_shared<Inbox<Message>>(executor, [](const std::vector<Message>&) {});
  inbox->Close();
  bool ended = false;
  Message message{std::shared_ptr<void>(nullptr, [&](void*) {
    ended = true;
    EXPECT_FALSE(inbox->Post({}));
  })};
  EXPECT_FALSE(inbox->Post(std::move(message)));
  EXPECT_TRUE(ended);
}

// On threads. The handler touches what no lock protects: ThreadSanitizer sees two at a time.
TEST(InboxOnThreads, NeverRunsTwoHandlersAtATimeAndLosesNothing) {
  constexpr int kPosters = 4;
  constexpr int kPosts = 2000;
  const auto executor = MakeThreadExecutor({.threads = 4});
  std::atomic<int> inside = 0;
  std::vector<int> last(kPosters, -1);  // of each poster
  int handled = 0;
  const auto inbox = std::make_shared<Inbox<std::pair<int, int>>>(
      *executor, [&](const std::vector<std::pair<int, int>>& messages) {
        EXPECT_EQ(inside.fetch_add(1), 0);
        for (const auto& [poster, number] : messages) {
          EXPECT_EQ(number, last[poster] + 1);
          last[poster] = number;
          ++handled;
        }
        inside.fetch_sub(1);
      });
  std::vector<std::thread> posters;
  for (int poster = 0; poster < kPosters; ++poster) {
    posters.emplace_back([&inbox, poster] {
      for (int i = 0; i < kPosts; ++i) EXPECT_TRUE(inbox->Post({poster, i}));
    });
  }
  for (std::thread& poster : posters) poster.join();
  inbox->Close();
  EXPECT_EQ(handled, kPosters * kPosts);
}

TEST(InboxOnThreads, CloseWaitsForAHandlerThatRuns) {
  const auto executor = MakeThreadExecutor({.threads = 2});
  std::atomic<bool> began = false;
  std::atomic<bool> may_end = false;
  bool ended = false;  // Close() is what makes it safe to read
  const auto inbox = std::make_shared<IntInbox>(*executor, [&](const std::vector<int>&) {
    began = true;
    began.notify_all();
    may_end.wait(false);
    ended = true;
  });
  inbox->Post(1);
  began.wait(false);
  executor->Post([&] {
    may_end = true;
    may_end.notify_all();
  });
  inbox->Close();
  EXPECT_TRUE(ended);
}

TEST(InboxOnThreads, PostsThatRaceWithCloseAreHandledOrRefused) {
  for (int round = 0; round < 50; ++round) {
    const auto executor = MakeThreadExecutor({.threads = 2});
    std::atomic<int> handled = 0;
    std::atomic<bool> is_closed = false;
    const auto inbox = std::make_shared<IntInbox>(*executor, [&](const std::vector<int>& messages) {
      EXPECT_FALSE(is_closed);
      handled += static_cast<int>(messages.size());
    });
    int taken = 0;
    std::thread poster([&] {
      for (int i = 0; i < 100; ++i) taken += inbox->Post(i) ? 1 : 0;
    });
    inbox->Close();
    is_closed = true;
    poster.join();
    EXPECT_EQ(handled, taken);
  }
}

}  // namespace
}  // namespace tinykv
