// ReadClusterStatus: how each store of a cluster stands, for operators.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/client/client_options.h"
#include "proto/kvrpcpb.pb.h"

namespace tinykv {

struct StoreCondition {
  std::string address = {};
  uint64_t store_id = 0;    // 0 if nobody has said which store that is
  absl::Status error = {};  // why there is no answer
  kvrpcpb::StoreStatusResponse status = {};
};

struct RegionLeader {
  uint64_t region_id = 0;
  uint64_t store_id = 0;  // 0 if no store that answers leads it
  uint64_t term = 0;
  uint64_t committed = 0;
};

struct ClusterStatus {
  std::vector<StoreCondition> stores;  // in the order of their ids, those without one last
  // In the order of their ids. A store that was cut off may go on to call itself the leader, in an
  // older term: of several, the one of the latest term counts.
  std::vector<RegionLeader> regions;

  // Null if there is no such region.
  const RegionLeader* LeaderOf(uint64_t region_id) const;

  // Whether every store answers and works, and every region has a leader.
  bool IsWhole() const;
};

// Asks the stores at options.address, and those that they name, once each: there is no second
// attempt. The answers are not of one moment.
// Errors: kInvalidArgument, naming the option; kFailedPrecondition if stores are of different
// clusters. That a store does not answer is none: its condition says it.
absl::StatusOr<ClusterStatus> ReadClusterStatus(const ClientOptions& options);

}  // namespace tinykv
