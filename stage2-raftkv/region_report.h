// How the regions of a store stand, for /status, /metrics and the rpc StoreStatus.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/metrics.h"
#include "stage2-raftkv/raftstore/store.h"

namespace tinykv {

struct RegionReport {
  metapb::Region region = {};
  raft::Role role = raft::Role::kFollower;
  raft::Term term = 0;
  StoreId leader_store = 0;  // 0: none is known
  raft::Index first_index = 0;
  raft::Index last_index = 0;
  raft::Index committed = 0;
  raft::Index applied = 0;
  uint64_t waiting_commands = 0;
  uint64_t waiting_reads = 0;
  std::string rejoining = {};  // what it waits for; empty unless it has lost its disk (rejoin.h)
};

// "leader", "follower" or "candidate".
std::string_view NameOf(raft::Role role);

// What Store::Inspect() shows.
std::vector<RegionReport> ReportsOf(
    const std::map<raftstore::RegionId, std::unique_ptr<raftstore::Peer>>& peers);

// Asks the store's actor, and waits for it for `patience` at most; nothing if it has not answered
// by then, because its disk hangs perhaps. REQUIRES: not called on the store's executors.
std::optional<std::vector<RegionReport>> ReportRegions(raftstore::Store& store, Duration patience);

void CollectRegionMetrics(const std::vector<RegionReport>& reports, MetricSink& sink);

// A list of objects with the names of the fields above; docs/operating.md explains them.
nlohmann::json RegionStatus(const std::vector<RegionReport>& reports);

}  // namespace tinykv
