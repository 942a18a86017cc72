#include "common/client/retry_schedule.h"

#include <algorithm>

#include "common/check.h"

namespace tinykv {

RetrySchedule::RetrySchedule(const ClientOptions& options, uint64_t seed, Duration now)
    : deadline_(now + options.deadline),
      backoff_(options.backoff_min),
      backoff_max_(options.backoff_max),
      attempts_max_(options.attempts_max),
      random_(seed) {
  TKV_CHECK(backoff_.count() > 0);
  TKV_CHECK(backoff_ <= backoff_max_);
}

std::optional<Duration> RetrySchedule::PauseAfter(const absl::Status& status, Duration now,
                                                  Haste haste) {
  ++attempts_;
  if (!absl::IsUnavailable(status) || attempts_ >= attempts_max_) return std::nullopt;
  if (haste == Haste::kAtOnce && at_once_ < kAtOnceMax && Remaining(now) > Duration::zero()) {
    ++at_once_;
    return Duration::zero();
  }
  at_once_ = 0;
  const Duration longest = backoff_;
  backoff_ = std::min(2 * backoff_, backoff_max_);
  const auto nanos = static_cast<uint64_t>(longest.count());
  const Duration pause(random_.Between(nanos - nanos / 2, nanos));
  if (pause >= Remaining(now)) return std::nullopt;
  return pause;
}

}  // namespace tinykv
