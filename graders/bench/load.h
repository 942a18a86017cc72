// Closed-loop load: a fixed number of calls is always in flight; each starts when another ends.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/env/clock.h"

namespace tinykv::bench {

struct LoadOptions {
  uint32_t in_flight = 64;
  Duration duration = std::chrono::seconds(3);
  uint64_t calls = 0;  // how many; 0: as many as the time allows, else the time does not matter
};

struct LoadResult {
  uint64_t operations = 0;
  uint64_t errors = 0;
  std::string first_error;
  double seconds = 0;
  std::vector<uint32_t> latencies_us;  // sorted, one an operation

  double OperationsPerSecond() const { return static_cast<double>(operations) / seconds; }
  // `fraction` in [0, 1], e.g. 0.99.
  double LatencyMs(double fraction) const;
};

// Starts one call for slot `slot` and returns; `done` is called once, on any thread, with "" or
// what went wrong.
using Done = absl::AnyInvocable<void(std::string error)>;
using StartCall = std::function<void(uint32_t slot, Done done)>;

// Drives `start` for the time or the calls given and returns when the last call has ended.
LoadResult RunLoad(const LoadOptions& options, const Clock& clock, const StartCall& start);

}  // namespace tinykv::bench
