#include "graders/bench/load.h"

#include <gtest/gtest.h>

#include <utility>

namespace tinykv::bench {
namespace {

// Every call takes a millisecond of this clock.
class SteppingClock : public Clock {
 public:
  Duration Now() const override { return now_; }
  int64_t UnixMillis() const override { return 0; }
  void Step() { now_ += std::chrono::milliseconds(1); }

 private:
  Duration now_{};
};

TEST(Load, MakesAsManyCallsAsAreAskedFor) {
  SteppingClock clock;
  std::vector<Done> waiting;
  uint64_t started = 0;
  // The fourth call ends the three that wait; from then on each ends at once.
  const LoadResult result = RunLoad({.in_flight = 4, .calls = 10}, clock, [&](uint32_t, Done done) {
    clock.Step();
    waiting.push_back(std::move(done));
    if (++started < 4) return;
    for (Done& one : std::exchange(waiting, {})) one(started == 7 ? "seven" : "");
  });
  EXPECT_EQ(started, 10u);
  EXPECT_EQ(result.latencies_us.size(), 10u);
  EXPECT_EQ(result.errors + result.operations, 10u);
  EXPECT_EQ(result.errors, 1u);
  EXPECT_EQ(result.first_error, "seven");
}

TEST(Load, StartsNoMoreCallsThanAreAskedFor) {
  SteppingClock clock;
  uint64_t started = 0;
  RunLoad({.in_flight = 64, .calls = 3}, clock, [&](uint32_t slot, Done done) {
    EXPECT_LT(slot, 3u);
    ++started;
    done("");
  });
  EXPECT_EQ(started, 3u);
}

TEST(Load, EndsWhenTheTimeIsOver) {
  SteppingClock clock;
  const LoadResult result = RunLoad({.in_flight = 1, .duration = std::chrono::milliseconds(20)},
                                    clock, [&](uint32_t, Done done) {
                                      clock.Step();
                                      done("");
                                    });
  EXPECT_EQ(result.operations, 20u);
  EXPECT_DOUBLE_EQ(result.seconds, 0.02);
  EXPECT_DOUBLE_EQ(result.LatencyMs(0.5), 1);
}

}  // namespace
}  // namespace tinykv::bench
