// RetrySchedule: whether and when one call is tried again.
//
// Tried again is what kUnavailable says may succeed later: a store that cannot be reached, and
// region errors, "server is busy" among them. Never after the deadline, never if the pause would
// last until then, and never above attempts_max. Pauses are exponential with jitter (ClientOptions
// says how).
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

// Whether the next attempt has to wait. "At once" is for an answer that says what will help; stores
// that send a client round in a circle are found out by kAtOnceMax.
enum class Haste { kAfterPause, kAtOnce };

class RetrySchedule {
 public:
  // So many attempts follow at once before there is a pause again.
  static constexpr int kAtOnceMax = 2;

  // A call that begins at `now`. REQUIRES: 0 < options.backoff_min <= options.backoff_max.
  RetrySchedule(const ClientOptions& options, uint64_t seed, Duration now);

  // Time until the deadline; not above 0 if it has passed.
  Duration Remaining(Duration now) const { return deadline_ - now; }

  // Reports that an attempt ended with `status` at `now`. Returns the pause before the next
  // attempt, zero perhaps, or nullopt if there is to be none.
  std::optional<Duration> PauseAfter(const absl::Status& status, Duration now,
                                     Haste haste = Haste::kAfterPause);

  // How many attempts have ended.
  int attempts() const { return attempts_; }

 private:
  Duration deadline_;
  Duration backoff_;
  Duration backoff_max_;
  int attempts_max_;
  Random random_;
  int attempts_ = 0;
  int at_once_ = 0;  // since the last pause
};

}  // namespace tinykv
