#include "graders/soak/counters.h"

#include <algorithm>
#include <chrono>

#include "common/status.h"
#include "common/storage/region_error.h"

namespace tinykv::soak {
namespace {

double Seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// Why an attempt failed, in two words.
std::string ReasonOf(const absl::Status& status) {
  const auto error = RegionErrorOf(status);
  if (!error)
    return absl::IsUnavailable(status) ? "no answer" : absl::StatusCodeToString(status.code());
  if (error->has_not_leader()) return "not leader";
  if (error->has_server_is_busy()) return "server is busy";
  if (error->has_stale_command()) return "stale command";
  return "another region error";
}

}  // namespace

bool IsAnswer(const absl::Status& attempt) {
  return attempt.ok() || RegionErrorOf(attempt).has_value();
}

void Counters::Call(const std::string& what, bool writes, const absl::Status& status) {
  MutexLock lock(mutex_);
  if (!status.ok()) {
    if (failed_calls_.empty()) first_failure_ = Concat(what, ": ", MessageOf(status));
    ++failed_calls_[what];
    return;
  }
  ++calls_[what];
  if (!writes) return;
  ++written_;
  const Duration now = clock_.Now();
  longest_gap_ = std::max(longest_gap_, now - written_at_);
  written_at_ = now;
}

void Counters::FailedAttempt(const absl::Status& status) {
  MutexLock lock(mutex_);
  ++failed_attempts_[ReasonOf(status)];
}

uint64_t Counters::written() const {
  MutexLock lock(mutex_);
  return written_;
}

nlohmann::json Counters::ToJson() const {
  MutexLock lock(mutex_);
  const Duration now = clock_.Now();
  return {{"seconds", Seconds(now - begin_)},
          {"calls", calls_},
          {"failed_calls", failed_calls_},
          {"first_failure", first_failure_},
          {"failed_attempts", failed_attempts_},
          {"longest_gap_seconds", Seconds(std::max(longest_gap_, now - written_at_))}};
}

void Counters::StartPhase() {
  MutexLock lock(mutex_);
  begin_ = clock_.Now();
  longest_gap_ = {};
  calls_.clear();
  failed_calls_.clear();
  failed_attempts_.clear();
  first_failure_.clear();
}

}  // namespace tinykv::soak
