// `tinykv-bench cluster`: three stores of ours beside three of etcd's. The servers are started by
// `./tinykv bench cluster`, which says here where they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace tinykv::bench {

struct ClusterBenchOptions {
  uint32_t rounds = 3;
  uint32_t seconds_per_workload = 5;
  uint32_t warm_up_seconds = 1;  // before each of them
  uint32_t keys = 100000;
  uint32_t connections = 4;
  std::vector<std::string> only;     // workloads; all where it is empty
  std::vector<std::string> against;  // peers
  // Of `tinykv`, `echo` and each peer: "NAME,HOST:PORT,PID,PID…", where its leader serves and the
  // processes of all its servers.
  std::vector<std::string> subjects;
  std::string json_file;    // "" writes none
  bool only_check = false;  // the flags have been read, and that is all
};

// The workloads there are, by name.
std::vector<std::string> ClusterWorkloads();

// Loads `keys` keys into each cluster, and measures workload by workload: in each round echo, the
// peers and ours in turn, so that drift of the machine's speed meets all alike. A row of ours has
// the ratio to the first peer; every row its share of what the echo reaches with as many calls in
// flight, and what the servers, all together, used for it. Prints a table, and the bars.
// Errors: a subject that is missing; any failed call, after the table.
absl::Status RunClusterBench(const ClusterBenchOptions& options);

}  // namespace tinykv::bench
