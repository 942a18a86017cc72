// `tinykv-bench server`: what our rpcs cost beside an empty one.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace tinykv::bench {

struct ServerBenchOptions {
  uint32_t in_flight = 64;
  uint32_t rounds = 5;
  uint32_t seconds_per_workload = 2;
  uint32_t keys = 100000;
  uint32_t value_bytes = 100;
  uint32_t connections = 4;
  std::string json_file;  // "" writes none
};

// Starts `tinykv-bench serve` (stage 1, unsynced, with an Echo service on the same gRPC server) as
// a child, loads `keys` keys and measures echo, raw-get and raw-put in turn, round by round, so
// that drift of the machine's speed meets all three alike. Prints a table. Errors: a child that
// does not start, any failed call.
absl::Status RunServerBench(const ServerBenchOptions& options);

// The child: serves until it is told to stop. Returns the exit status.
int ServeForBench(int argc, char** argv);

}  // namespace tinykv::bench
