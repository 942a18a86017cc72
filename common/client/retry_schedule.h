// RetrySchedule: whether and when one call is tried again.
//
// Tried again is what kUnavailable says may succeed later: a store that cannot be reached, and
// every region error, "server is busy" among them. Never after the deadline, and never if the pause
// would last until then. Pauses are exponential with jitter (ClientOptions says how).
//
// It reads no clock: times come in as arguments, on any one time line.
//
// Thread-safety: none.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "common/client/client_options.h"
#include "common/random.h"

namespace tinykv {

class RetrySchedule {
 public:
  // A call that begins at `now`. REQUIRES: 0 < options.backoff_min <= options.backoff_max.
  RetrySchedule(const ClientOptions& options, uint64_t seed, Duration now);

  // Time until the deadline; not above 0 if it has passed.
  Duration Remaining(Duration now) const { return deadline_ - now; }

  // Reports that an attempt ended with `status` at `now`. Returns the pause before the next
  // attempt, or nullopt if there is to be none.
  std::optional<Duration> PauseAfter(const absl::Status& status, Duration now);

  // How many attempts have ended.
  int attempts() const { return attempts_; }

 private:
  Duration deadline_;
  Duration backoff_;
  Duration backoff_max_;
  Random random_;
  int attempts_ = 0;
};

}  // namespace tinykv
