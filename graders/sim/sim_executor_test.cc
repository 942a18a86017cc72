#include "graders/sim/sim_executor.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

namespace tinykv::sim {
namespace {

using std::chrono::milliseconds;

class SimExecutorTest : public testing::Test {
 protected:
  // A task that notes `id`.
  Task Note(int id) {
    return [this, id] { seen_.push_back(id); };
  }

  SimClock clock_;
  SimExecutor executor_{clock_};
  std::vector<int> seen_;
};

TEST_F(SimExecutorTest, RunsNothingByItself) {
  executor_.Post(Note(1));
  EXPECT_TRUE(seen_.empty());
  EXPECT_TRUE(executor_.RunOne());
  EXPECT_EQ(seen_, std::vector<int>{1});
  EXPECT_FALSE(executor_.RunOne());
}

TEST_F(SimExecutorTest, TellsWhenSomebodyWaitsForNothing) {
  int stuck = 0;
  executor_.SetStuckHook([&] { ++stuck; });
  executor_.Post(Note(1));
  EXPECT_TRUE(executor_.RunOne());
  executor_.RunUntilIdle();
  EXPECT_EQ(stuck, 0);
  EXPECT_FALSE(executor_.RunOne());
  EXPECT_EQ(stuck, 1);
}

TEST_F(SimExecutorTest, RunsInOrderOfPosting) {
  for (int i = 0; i < 5; ++i) executor_.Post(Note(i));
  executor_.RunUntilIdle();
  EXPECT_EQ(seen_, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(SimExecutorTest, JumpsToTheNextDelayedTaskOnlyWhenNothingIsReady) {
  const Duration start = clock_.Now();
  executor_.PostAfter(milliseconds(20), Note(3));
  executor_.PostAfter(milliseconds(10), Note(2));
  executor_.Post(Note(1));
  EXPECT_TRUE(executor_.RunOne());
  EXPECT_EQ(clock_.Now(), start);
  EXPECT_TRUE(executor_.RunOne());
  EXPECT_EQ(clock_.Now(), start + milliseconds(10));
  EXPECT_TRUE(executor_.RunOne());
  EXPECT_EQ(clock_.Now(), start + milliseconds(20));
  EXPECT_EQ(seen_, (std::vector<int>{1, 2, 3}));
}

TEST_F(SimExecutorTest, RunForRunsWhatFallsDueAndLeavesTheRest) {
  const Duration start = clock_.Now();
  // A timer that sets itself again, as tickers do.
  std::function<void()> tick = [&] {
    seen_.push_back(0);
    executor_.PostAfter(milliseconds(10), [&] { tick(); });
  };
  tick();
  executor_.RunFor(milliseconds(35));
  EXPECT_EQ(seen_.size(), 4u);
  EXPECT_EQ(clock_.Now(), start + milliseconds(35));
  executor_.RunUntilIdle();  // does not advance time
  EXPECT_EQ(seen_.size(), 4u);
}

TEST_F(SimExecutorTest, RunForRunsWhatTheLastDelayedTaskPosts) {
  bool has_run = false;
  executor_.PostAfter(milliseconds(10), [&] { executor_.Post([&] { has_run = true; }); });
  executor_.RunFor(milliseconds(20));
  EXPECT_TRUE(has_run);
}

TEST_F(SimExecutorTest, ATaskMayRunOthersInside) {
  executor_.Post([&] {
    seen_.push_back(1);
    executor_.Post(Note(2));
    while (executor_.RunOne()) {
    }
    seen_.push_back(3);
  });
  executor_.RunUntilIdle();
  EXPECT_EQ(seen_, (std::vector<int>{1, 2, 3}));
}

TEST_F(SimExecutorTest, ClearFreesWhatTasksHold) {
  const auto token = std::make_shared<int>();
  executor_.Post([token] {});
  executor_.PostAfter(milliseconds(1), [token] {});
  executor_.Clear();
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(executor_.RunOne());
}

TEST(SeededSimExecutor, DrawsTheOrderFromItsSeed) {
  const auto run = [](uint64_t seed) {
    SimClock clock;
    SimExecutor executor(clock, Random(seed));
    std::vector<int> seen;
    for (int i = 0; i < 5; ++i) executor.Post([&seen, i] { seen.push_back(i); });
    executor.RunUntilIdle();
    return seen;
  };
  EXPECT_EQ(run(1), run(1));
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 0; seed < 1000; ++seed) orders.insert(run(seed));
  EXPECT_EQ(orders.size(), 120u);  // all of them
}

}  // namespace
}  // namespace tinykv::sim
