// FailedAttempts: what a call has tried in vain, for the error that it ends with.
//
// Thread-safety: none.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/env/clock.h"

namespace tinykv {

class FailedAttempts {
 public:
  // An attempt at `address` ended with `status`, whose message begins with the address.
  void Add(const std::string& address, const absl::Status& status);

  // The error of the call after `spent`: the code and the payloads of the last attempt's, and a
  // message that says for each address how often it was tried and what came of the last attempt.
  // After a single attempt, its own error. REQUIRES: there was an attempt.
  absl::Status Summary(Duration spent) const;

 private:
  struct Tried {
    std::string address;
    int attempts = 0;
    absl::Status last_error = {};
  };

  std::vector<Tried> tried_;  // in the order of their first attempts
  absl::Status last_error_;
};

// "4.25 s"
std::string SecondsText(Duration duration);

}  // namespace tinykv
