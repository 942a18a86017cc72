// `tinykv-bench raft`: what the Raft core itself costs, with no disk, no network and no thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace tinykv::bench {

struct RaftBenchOptions {
  uint32_t rounds = 5;
  uint32_t seconds_per_workload = 1;
  uint32_t value_bytes = 100;
  std::string json_file;  // "" writes none
};

// Three cores in memory replicate batches of proposals, one batch after the other: each is
// proposed, sent, written (which is counted, and costs nothing), acknowledged, committed, and
// applied by all. Beside them, in the same rounds: plain-logs, which puts the same entries into
// three plain logs with the same copies of them and decides nothing. That is what is possible; the
// ratio says how much of it the core reaches.
//
// Also counted, for each entry: how many bytes of data are copied, and how many of entry records
// (term, index, and where the data is).
absl::Status RunRaftBench(const RaftBenchOptions& options);

}  // namespace tinykv::bench
