// SimClock: virtual time. It stands still until somebody advances it.
//
// Thread-safety: none; everything in a simulation runs on one real thread.
#pragma once

#include "common/check.h"
#include "common/env/clock.h"

namespace tinykv::sim {

class SimClock final : public Clock {
 public:
  Duration Now() const override { return now_; }

  // A date in 2026, so that timestamps made of it look like real ones.
  int64_t UnixMillis() const override {
    return 1'767'225'600'000 + std::chrono::duration_cast<std::chrono::milliseconds>(now_).count();
  }

  // REQUIRES: delay >= 0.
  void Advance(Duration delay) {
    TKV_CHECK(delay >= Duration::zero());
    now_ += delay;
  }

 private:
  Duration now_ = std::chrono::seconds(1);  // not zero: a forgotten initialisation shows
};

}  // namespace tinykv::sim
