// DriftingClock: what a clock shows that was set wrong and runs too fast or too slow.
//
// Thread-safety: none; everything in a simulation runs on one real thread.
#pragma once

#include <cstdint>

#include "common/env/clock.h"

namespace tinykv::sim {

class Timeline;

class DriftingClock final : public Clock {
 public:
  struct Options {
    int32_t rate_ppm = 0;  // how much faster than true time, in parts per million
    Duration offset = {};
  };

  // True time is `timeline`'s, which must outlive the clock. REQUIRES: rate_ppm is in
  // [-900'000, 1'000'000].
  DriftingClock(const Timeline& timeline, const Options& options);

  // offset + true time * (1 + rate_ppm / 1e6), rounded down; never goes back.
  Duration Now() const override;

  // A date in 2026, so that timestamps made of it look like real ones.
  int64_t UnixMillis() const override;

  // The true time at which this clock will have gone on by `delay`. A negative one is none at all,
  // and a very long one is cut to kLongest.
  Duration TrueTimeAfter(Duration delay) const;

  static constexpr Duration kLongest = std::chrono::hours(24 * 365);

 private:
  Duration Shown(Duration true_time) const;

  const Timeline& timeline_;
  const int64_t rate_ppm_;
  const Duration offset_;
};

}  // namespace tinykv::sim
