#include "graders/sim/lane.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/random.h"
#include "graders/sim/drifting_clock.h"
#include "graders/sim/timeline.h"

namespace tinykv::sim {
namespace {

using std::chrono::milliseconds;

class LaneTest : public testing::Test {
 protected:
  // A task that notes `name` and the time, and is charged `charge`.
  Task Note(const std::string& name, Duration charge = {}) {
    return [this, name, charge] {
      seen_.push_back(name + "@" + std::to_string(timeline_.Now() / milliseconds(1)));
      if (charge > Duration::zero()) timeline_.Charge(charge);
    };
  }

  void RunAll() {
    while (!timeline_.empty()) timeline_.RunFirst();
  }

  using Names = std::vector<std::string>;

  Timeline timeline_{Random(1)};
  DriftingClock clock_{timeline_, {}};
  Lane lane_{timeline_, clock_, 1};
  Lane other_{timeline_, clock_, 1};
  Names seen_;
};

TEST_F(LaneTest, RunsTasksInOrderOfPosting) {
  for (const char* name : {"a", "b", "c", "d", "e"}) lane_.Post(Note(name));
  EXPECT_TRUE(seen_.empty());
  RunAll();
  EXPECT_EQ(seen_, (Names{"a@0", "b@0", "c@0", "d@0", "e@0"}));
}

TEST_F(LaneTest, RunsTimersInOrderOfTime) {
  lane_.PostAfter(milliseconds(20), Note("late"));
  lane_.PostAfter(milliseconds(10), Note("early"));
  other_.PostAfter(milliseconds(15), Note("between"));
  lane_.Post(Note("now"));
  RunAll();
  EXPECT_EQ(seen_, (Names{"now@0", "early@10", "between@15", "late@20"}));
}

TEST_F(LaneTest, WhatATaskIsChargedDelaysTheNextOfItsLaneOnly) {
  lane_.Post(Note("write", milliseconds(5)));
  lane_.Post(Note("next"));
  lane_.PostAfter(milliseconds(2), Note("timer"));
  other_.PostAfter(milliseconds(2), Note("other"));
  RunAll();
  EXPECT_EQ(seen_, (Names{"write@0", "other@2", "next@5", "timer@5"}));
}

TEST_F(LaneTest, WhatAChargedTaskPostsIsPostedLater) {
  lane_.Post([&] {
    timeline_.Charge(milliseconds(5));
    other_.Post(Note("after the write"));
  });
  other_.PostAfter(milliseconds(3), Note("before"));
  RunAll();
  EXPECT_EQ(seen_, (Names{"before@3", "after the write@5"}));
}

TEST_F(LaneTest, RunOneRunsATaskInsideTheOneThatWaits) {
  lane_.Post([&] {
    other_.Post(Note("inside", milliseconds(4)));
    other_.Post(Note("by itself"));
    EXPECT_TRUE(other_.RunOne());
    Note("outside")();
  });
  lane_.Post(Note("next"));
  RunAll();
  // Who waits is later by what the other was charged, and so are those who wait behind either.
  Names expected{"inside@0", "outside@4"};
  ASSERT_EQ(seen_.size(), 4u);
  EXPECT_EQ(Names(seen_.begin(), seen_.begin() + 2), expected);
  EXPECT_EQ(std::set<std::string>(seen_.begin() + 2, seen_.end()),
            (std::set<std::string>{"by itself@4", "next@4"}));
}

TEST_F(LaneTest, RunOneWaitsForWhatIsDueLater) {
  other_.PostAfter(milliseconds(10), Note("timer"));
  lane_.Post([&] {
    EXPECT_TRUE(other_.RunOne());
    Note("waited")();
  });
  lane_.PostAfter(milliseconds(3), Note("next"));
  RunAll();
  EXPECT_EQ(seen_, (Names{"timer@10", "waited@10", "next@10"}));
}

TEST_F(LaneTest, RunOneWaitsForALaneThatIsBusy) {
  other_.Post(Note("busy", milliseconds(8)));
  other_.Post(Note("behind", milliseconds(1)));
  RunAll();
  other_.Post(Note("third"));
  lane_.PostAt(milliseconds(8), 0, [&] {
    EXPECT_TRUE(other_.RunOne());
    Note("waited")();
  });
  EXPECT_FALSE(timeline_.empty());
  RunAll();
  EXPECT_EQ(seen_.back(), "waited@9");
}

TEST_F(LaneTest, RunOneServesOneWhoWaitsOutsideOfTasks) {
  lane_.Post(Note("first", milliseconds(3)));
  lane_.Post(Note("second"));
  EXPECT_TRUE(lane_.RunOne());
  EXPECT_TRUE(lane_.RunOne());
  EXPECT_FALSE(lane_.RunOne());
  EXPECT_EQ(seen_, (Names{"first@0", "second@3"}));
  EXPECT_EQ(timeline_.Now(), Duration::zero());
}

TEST_F(LaneTest, TellsWhenSomebodyWaitsForNothing) {
  int stuck = 0;
  timeline_.SetStuckHook([&] { ++stuck; });
  lane_.Post([&] { EXPECT_FALSE(other_.RunOne()); });
  RunAll();
  EXPECT_EQ(stuck, 1);
}

TEST_F(LaneTest, APausedLaneRunsLaterWhatFellDue) {
  lane_.Post(Note("a"));
  lane_.PostAfter(milliseconds(10), Note("b"));
  lane_.Pause();
  EXPECT_TRUE(timeline_.empty());
  timeline_.AdvanceTo(milliseconds(50));
  lane_.Post(Note("c"));
  lane_.Resume();
  RunAll();
  EXPECT_EQ(seen_, (Names{"a@50", "b@50", "c@50"}));
}

TEST_F(LaneTest, ADetachedLaneRunsOnlyWhatIsWaitedFor) {
  lane_.Post(Note("a"));
  lane_.Detach();
  EXPECT_TRUE(timeline_.empty());
  lane_.Post(Note("b"));
  EXPECT_TRUE(lane_.RunOne());
  EXPECT_EQ(seen_, Names{"a@0"});
  EXPECT_EQ(lane_.size(), 1u);
}

TEST_F(LaneTest, AClosedLaneHasDroppedItsTasksAndTakesNoMore) {
  // Its end posts once more.
  auto token = std::shared_ptr<int>(new int, [&](const int* number) {
    delete number;
    lane_.Post(Note("from beyond"));
  });
  lane_.Post([token] {});
  lane_.PostAfter(milliseconds(1), [token] {});
  token = nullptr;
  lane_.Close();
  lane_.Post(Note("late"));
  EXPECT_EQ(lane_.size(), 0u);
  EXPECT_FALSE(lane_.RunOne());
  EXPECT_TRUE(timeline_.empty());
  EXPECT_TRUE(seen_.empty());
}

TEST_F(LaneTest, ALaneThatEndsLeavesTheOthersInOrder) {
  auto third = std::make_unique<Lane>(timeline_, clock_, 1);
  third->PostAfter(milliseconds(1), Note("gone"));
  lane_.PostAfter(milliseconds(3), Note("b"));
  other_.PostAfter(milliseconds(2), Note("a"));
  third = nullptr;
  RunAll();
  EXPECT_EQ(seen_, (Names{"a@2", "b@3"}));
}

TEST(Timeline, TheSeedDecidesBetweenLanesButNotWithinOne) {
  const auto run = [](uint64_t seed) {
    Timeline timeline{Random(seed)};
    const DriftingClock clock(timeline, {});
    Lane upper(timeline, clock, 1);
    Lane lower(timeline, clock, 2);
    std::string seen;
    for (const char name : {'A', 'B', 'C'}) upper.Post([&seen, name] { seen += name; });
    for (const char name : {'a', 'b', 'c'}) lower.Post([&seen, name] { seen += name; });
    while (!timeline.empty()) timeline.RunFirst();
    return seen;
  };
  EXPECT_EQ(run(1), run(1));
  std::map<std::string, int> orders;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const std::string seen = run(seed);
    ++orders[seen];
    std::string upper;
    std::string lower;
    for (const char name : seen) (name < 'a' ? upper : lower) += name;
    ASSERT_EQ(upper, "ABC");
    ASSERT_EQ(lower, "abc");
  }
  // All of them (6 over 3), and none is very rare: each draw is between two.
  EXPECT_EQ(orders.size(), 20u);
  for (const auto& [order, count] : orders) EXPECT_GT(count, 10) << order;
}

TEST(Timeline, RunsManyLanesInOrderOfTime) {
  Random random(1);
  Timeline timeline{Random(1)};
  const DriftingClock clock(timeline, {});
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < 20; ++i) lanes.push_back(std::make_unique<Lane>(timeline, clock, 1));
  Duration last = {};
  int runs = 0;
  // Each task checks the time and posts another one somewhere; now and then lanes pause.
  std::function<void()> task = [&] {
    ASSERT_GE(timeline.Now(), last);
    last = timeline.Now();
    if (++runs > 5000) return;
    lanes[random.Uniform(20)]->PostAfter(milliseconds(random.Uniform(50)), [&] { task(); });
    Lane& lane = *lanes[random.Uniform(20)];
    if (random.Percent(20)) lane.Pause();
    for (const auto& other : lanes) {
      if (random.Percent(5)) other->Resume();
    }
  };
  for (int i = 0; i < 100; ++i) lanes[i % 20]->Post([&] { task(); });
  while (!timeline.empty()) {
    timeline.RunFirst();
    if (timeline.empty()) {
      for (const auto& lane : lanes) lane->Resume();
    }
  }
  EXPECT_EQ(runs, 5000 + 100);
}

}  // namespace
}  // namespace tinykv::sim
