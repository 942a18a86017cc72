// RateLimit: how many bytes a second may leave a store as snapshots, all of them together.
//
// A bucket that fills with time and may be overdrawn by one chunk: whoever finds it empty waits
// until it is not. Chunks are as large as they are, so it is the mean that keeps the limit. A
// bucket that was left alone holds no more than a tenth of a second's bytes: an idle minute is no
// excuse for a burst.
//
// Thread-safety: safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "common/env/clock.h"
#include "common/mutex.h"

namespace tinykv::raftstore {

class RateLimit {
 public:
  // 0: there is no limit. `clock` must outlive it.
  RateLimit(uint64_t bytes_per_second, Clock& clock)
      : bytes_per_second_(bytes_per_second), clock_(clock) {}

  // How long whoever has something to send waits before asking again; zero: it may go.
  Duration Wait() const {
    MutexLock lock(mutex_);
    return std::max(free_at_ - clock_.Now(), Duration::zero());
  }

  // So much is sent.
  void Take(uint64_t bytes) {
    if (bytes_per_second_ == 0) return;
    MutexLock lock(mutex_);
    const std::chrono::duration<double> cost(static_cast<double>(bytes) /
                                             static_cast<double>(bytes_per_second_));
    free_at_ =
        std::max(free_at_, clock_.Now() - kSavedMax) + std::chrono::duration_cast<Duration>(cost);
  }

 private:
  static constexpr Duration kSavedMax = std::chrono::milliseconds(100);

  const uint64_t bytes_per_second_;
  Clock& clock_;
  mutable Mutex mutex_;
  Duration free_at_ ABSL_GUARDED_BY(mutex_) = Duration::min() / 2;  // when the bucket is not empty
};

}  // namespace tinykv::raftstore
