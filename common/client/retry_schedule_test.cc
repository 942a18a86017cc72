#include "common/client/retry_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "common/status.h"

namespace tinykv {
namespace {

using std::chrono::milliseconds;

ClientOptions Options() {
  return {.deadline = milliseconds(1000),
          .backoff_min = milliseconds(10),
          .backoff_max = milliseconds(80)};
}

// The pauses of a call of which every attempt fails at once.
std::vector<Duration> Pauses(const ClientOptions& options, uint64_t seed) {
  Duration now = milliseconds(5000);
  RetrySchedule schedule(options, seed, now);
  std::vector<Duration> pauses;
  while (const auto pause = schedule.PauseAfter(Unavailable("busy"), now)) {
    pauses.push_back(*pause);
    now += *pause;
  }
  return pauses;
}

TEST(RetrySchedule, DoublesItsPausesUpToTheLongest) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Duration longest = milliseconds(10);
    for (const Duration pause : Pauses(Options(), seed)) {
      EXPECT_GE(pause, longest / 2);
      EXPECT_LE(pause, longest);
      longest = std::min<Duration>(2 * longest, milliseconds(80));
    }
  }
}

TEST(RetrySchedule, EndsBeforeTheDeadlineAndNotLongBefore) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Duration total = {};
    for (const Duration pause : Pauses(Options(), seed)) total += pause;
    EXPECT_LT(total, milliseconds(1000));
    EXPECT_GE(total, milliseconds(1000 - 80));
  }
}

TEST(RetrySchedule, IsTheSameForTheSameSeedOnly) {
  EXPECT_EQ(Pauses(Options(), 1), Pauses(Options(), 1));
  EXPECT_NE(Pauses(Options(), 1), Pauses(Options(), 2));
}

TEST(RetrySchedule, TriesAgainOnlyWhatMaySucceedLater) {
  const Duration now = milliseconds(0);
  RetrySchedule schedule(Options(), 1, now);
  EXPECT_FALSE(schedule.PauseAfter(InvalidArgument("no"), now));
  EXPECT_FALSE(schedule.PauseAfter(Unimplemented("no"), now));
  EXPECT_FALSE(schedule.PauseAfter(DeadlineExceeded("late"), now));
  EXPECT_TRUE(schedule.PauseAfter(Unavailable("busy"), now));
  EXPECT_EQ(schedule.attempts(), 4);
}

TEST(RetrySchedule, EndsWithTheLastAttemptThatIsAllowed) {
  ClientOptions options = Options();
  options.attempts_max = 4;
  EXPECT_EQ(Pauses(options, 1).size(), 3u);
}

TEST(RetrySchedule, PausesAfterAFewAttemptsAtOnceAndThenAllowsThemAgain) {
  const Duration now = milliseconds(0);
  RetrySchedule schedule(Options(), 1, now);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < RetrySchedule::kAtOnceMax; ++i) {
      EXPECT_EQ(schedule.PauseAfter(Unavailable("moved"), now, Haste::kAtOnce), Duration::zero());
    }
    EXPECT_GT(schedule.PauseAfter(Unavailable("moved"), now, Haste::kAtOnce), Duration::zero());
  }
  EXPECT_FALSE(schedule.PauseAfter(Unavailable("moved"), milliseconds(1000), Haste::kAtOnce));
}

TEST(RetrySchedule, KnowsWhatIsLeft) {
  RetrySchedule schedule(Options(), 1, milliseconds(7000));
  EXPECT_EQ(schedule.Remaining(milliseconds(7300)), milliseconds(700));
  EXPECT_LT(schedule.Remaining(milliseconds(8001)), Duration::zero());
}

}  // namespace
}  // namespace tinykv
