#include "graders/sim/drifting_clock.h"

#include <algorithm>

#include "common/check.h"
#include "graders/sim/timeline.h"

namespace tinykv::sim {
namespace {

constexpr int64_t kMillion = 1'000'000;

}  // namespace

DriftingClock::DriftingClock(const Timeline& timeline, const Options& options)
    : timeline_(timeline), rate_ppm_(options.rate_ppm), offset_(options.offset) {
  TKV_CHECK(-900'000 <= rate_ppm_ && rate_ppm_ <= kMillion);
}

Duration DriftingClock::Now() const { return Shown(timeline_.Now()); }

int64_t DriftingClock::UnixMillis() const {
  return 1'767'225'600'000 + std::chrono::duration_cast<std::chrono::milliseconds>(Now()).count();
}

Duration DriftingClock::TrueTimeAfter(Duration delay) const {
  delay = std::clamp(delay, Duration::zero(), kLongest);
  const Duration now = timeline_.Now();
  if (rate_ppm_ == 0) return now + delay;
  const Duration wanted = Shown(now) + delay;
  // In two parts, so that nothing overflows; then rounding is made good.
  const int64_t rate = kMillion + rate_ppm_;
  const int64_t whole = delay.count() / rate;
  const int64_t rest = delay.count() % rate;
  Duration then = now + Duration(whole * kMillion + rest * kMillion / rate);
  while (Shown(then) < wanted) ++then;
  while (then > now && Shown(then - Duration(1)) >= wanted) --then;
  return then;
}

Duration DriftingClock::Shown(Duration true_time) const {
  // In two parts, so that nothing overflows.
  const int64_t whole = true_time.count() / kMillion;
  const int64_t rest = true_time.count() % kMillion;
  const int64_t round_down = rate_ppm_ < 0 ? kMillion - 1 : 0;
  const int64_t drift = whole * rate_ppm_ + (rest * rate_ppm_ - round_down) / kMillion;
  return offset_ + true_time + Duration(drift);
}

}  // namespace tinykv::sim
