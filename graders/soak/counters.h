// Counters: what a load did and what came of it, for one phase of a soak.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "common/mutex.h"

namespace tinykv::soak {

class Counters {
 public:
  explicit Counters(const Clock& clock) : clock_(clock), begin_(clock.Now()), written_at_(begin_) {}

  // A call has ended. Of `what` there are "put", "delete", "get" and "scan"; the first two write.
  void Call(const std::string& what, bool writes, const absl::Status& status);

  // An attempt of a call has failed.
  void FailedAttempt(const absl::Status& status);

  // Writes that were acknowledged since the start, over all phases.
  uint64_t written() const;

  // What happened since the start or the last StartPhase(), as the README of this folder says.
  nlohmann::json ToJson() const;
  void StartPhase();

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  uint64_t written_ ABSL_GUARDED_BY(mutex_) = 0;
  // Of the phase. The longest time without an acknowledged write counts from the last one before it
  // on, so that a gap across a border of phases is not halved.
  Duration begin_ ABSL_GUARDED_BY(mutex_);
  Duration written_at_ ABSL_GUARDED_BY(mutex_);
  Duration longest_gap_ ABSL_GUARDED_BY(mutex_){};
  std::map<std::string, uint64_t> calls_ ABSL_GUARDED_BY(mutex_);            // that succeeded
  std::map<std::string, uint64_t> failed_calls_ ABSL_GUARDED_BY(mutex_);     // by what failed
  std::map<std::string, uint64_t> failed_attempts_ ABSL_GUARDED_BY(mutex_);  // by reason
  std::string first_failure_ ABSL_GUARDED_BY(mutex_);
};

// Whether the store has answered an attempt, so that it cannot take effect later than now.
bool IsAnswer(const absl::Status& attempt);

}  // namespace tinykv::soak
