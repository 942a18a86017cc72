#include "graders/sim/drifting_clock.h"

#include <gtest/gtest.h>

#include "common/random.h"
#include "graders/sim/timeline.h"

namespace tinykv::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int32_t kRates[] = {-900'000, -500'000, -100, -1, 0, 1, 100, 333'333, 1'000'000};

TEST(DriftingClock, ShowsTheOffsetAndTheDrift) {
  Timeline timeline{Random(1)};
  const DriftingClock exact(timeline, {});
  const DriftingClock fast(timeline, {.rate_ppm = 1'000, .offset = seconds(5)});
  const DriftingClock slow(timeline, {.rate_ppm = -1'000, .offset = -seconds(5)});
  EXPECT_EQ(fast.Now(), seconds(5));
  timeline.AdvanceTo(seconds(1'000));
  EXPECT_EQ(exact.Now(), seconds(1'000));
  EXPECT_EQ(fast.Now(), seconds(1'006));
  EXPECT_EQ(slow.Now(), seconds(994));
  EXPECT_EQ(fast.UnixMillis() - exact.UnixMillis(), 6'000);
}

TEST(DriftingClock, NeverGoesBack) {
  for (const int32_t rate : kRates) {
    Timeline timeline{Random(1)};
    const DriftingClock clock(timeline, {.rate_ppm = rate});
    Duration last = clock.Now();
    for (int64_t nanos = 999'900; nanos < 1'000'100; ++nanos) {
      timeline.AdvanceTo(nanoseconds(nanos));
      ASSERT_GE(clock.Now(), last) << rate << " ppm at " << nanos;
      last = clock.Now();
    }
  }
}

TEST(DriftingClock, DelaysEndAsSoonAsTheyHavePassedOnIt) {
  for (const int32_t rate : kRates) {
    for (const Duration delay :
         {Duration(1), Duration(999'999), Duration(milliseconds(150)), Duration(hours(24 * 30))}) {
      Timeline timeline{Random(1)};
      timeline.AdvanceTo(nanoseconds(123'456'789));
      const DriftingClock clock(timeline, {.rate_ppm = rate, .offset = seconds(7)});
      const Duration wanted = clock.Now() + delay;
      const Duration then = clock.TrueTimeAfter(delay);
      timeline.AdvanceTo(then - nanoseconds(1));
      EXPECT_LT(clock.Now(), wanted) << rate << " ppm, " << delay.count();
      timeline.AdvanceTo(then);
      EXPECT_GE(clock.Now(), wanted) << rate << " ppm, " << delay.count();
    }
  }
}

TEST(DriftingClock, EndlessDelaysAreLongAndNegativeOnesNone) {
  for (const int32_t rate : kRates) {
    Timeline timeline{Random(1)};
    timeline.AdvanceTo(hours(24));
    const DriftingClock clock(timeline, {.rate_ppm = rate});
    EXPECT_GT(clock.TrueTimeAfter(Duration::max()), hours(24 * 100));
    EXPECT_EQ(clock.TrueTimeAfter(Duration::min()), hours(24));
  }
}

}  // namespace
}  // namespace tinykv::sim
