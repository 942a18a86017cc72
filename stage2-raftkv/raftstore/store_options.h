// StoreOptions: how a store and its peers behave.
#pragma once

#include <cstdint>

#include "common/env/clock.h"
#include "stage2-raftkv/raft/options.h"
#include "stage2-raftkv/raftstore/compact_log.h"

namespace tinykv::raftstore {

struct StoreOptions {
  uint64_t cluster_id = 0;
  uint64_t store_id = 0;
  // Of all peers; `id` and the seed are filled in.
  raft::RaftOptions raft = {.election_ticks = 10,
                            .heartbeat_ticks = 2,
                            .pre_vote = true,
                            .check_quorum = true,
                            .fast_back_off = true,
                            .commit_rides_along = true,
                            .uncommitted_bytes_max = 64 << 20};
  Duration tick_interval = std::chrono::milliseconds(100);
  // Of election timeouts.
  uint64_t random_seed = 0;

  LogLimits log = {};
  // Entries of a peer that are committed and not applied; beyond it the peer waits.
  uint64_t apply_backlog_bytes_max = 32 << 20;
  // Commands and reads that nobody has answered after so many ticks, since this peer does not lead
  // any more and hears of no other leader, are given up.
  uint32_t patience_ticks = 50;
  // Of one command; and of all that wait at a store, beyond which it is busy.
  uint64_t command_bytes_max = 8 << 20;
  uint64_t waiting_bytes_max = 256 << 20;
};

}  // namespace tinykv::raftstore
