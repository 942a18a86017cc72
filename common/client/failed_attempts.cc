#include "common/client/failed_attempts.h"

#include <algorithm>
#include <cstdio>

#include "common/check.h"
#include "common/status.h"

namespace tinykv {

void FailedAttempts::Add(const std::string& address, const absl::Status& status) {
  auto tried = std::find_if(tried_.begin(), tried_.end(),
                            [&](const Tried& one) { return one.address == address; });
  if (tried == tried_.end()) tried = tried_.insert(tried_.end(), {.address = address});
  ++tried->attempts;
  tried->last_error = status;
  last_error_ = status;
}

absl::Status FailedAttempts::Summary(Duration spent) const {
  TKV_CHECK(!tried_.empty());
  int attempts = 0;
  std::string places;
  for (const Tried& one : tried_) {
    attempts += one.attempts;
    if (!places.empty()) places += "; ";
    places += MessageOf(one.last_error);
    if (tried_.size() > 1) places += Concat(" (", Counted(one.attempts, "attempt"), ")");
  }
  if (attempts == 1) return last_error_;
  return WithMessage(last_error_, Concat("gave up after ", attempts, " attempts in ",
                                         SecondsText(spent), ": ", places));
}

std::string SecondsText(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g s", std::chrono::duration<double>(duration).count());
  return text;
}

}  // namespace tinykv
