#include "stage2-raftkv/raftstore/rate_limit.h"

#include <gtest/gtest.h>

#include "graders/sim/sim_clock.h"

namespace tinykv::raftstore {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kChunk = 1 << 20;

// How long `chunks` take if each is sent as soon as it may be.
Duration TimeFor(int chunks, RateLimit& limit, sim::SimClock& clock) {
  const Duration begin = clock.Now();
  for (int i = 0; i < chunks; ++i) {
    while (limit.Wait() > Duration::zero()) clock.Advance(limit.Wait());
    limit.Take(kChunk);
  }
  return clock.Now() - begin;
}

TEST(RateLimit, HoldsTheMeanBelowTheLimit) {
  sim::SimClock clock;
  RateLimit limit(10 * kChunk, clock);
  // A chunk takes 100 ms. Of the first two, one was saved up before and one overdraws.
  EXPECT_EQ(TimeFor(32, limit, clock), milliseconds(3000));
  EXPECT_EQ(limit.Wait(), milliseconds(100));
}

TEST(RateLimit, SavesNoBurstWhileNothingIsSent) {
  sim::SimClock clock;
  RateLimit limit(10 * kChunk, clock);
  TimeFor(5, limit, clock);
  clock.Advance(seconds(3600));
  EXPECT_EQ(TimeFor(12, limit, clock), milliseconds(1000));
}

TEST(RateLimit, OfZeroIsNone) {
  sim::SimClock clock;
  RateLimit limit(0, clock);
  EXPECT_EQ(TimeFor(1000, limit, clock), Duration::zero());
}

}  // namespace
}  // namespace tinykv::raftstore
