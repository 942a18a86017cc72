#include "stage2-raftkv/raft/options.h"

#include "common/status.h"

namespace tinykv::raft {

absl::Status Validate(const RaftOptions& options) {
  if (options.id == kNone) return InvalidArgument("id is 0, which names no peer");
  if (options.heartbeat_ticks == 0) return InvalidArgument("heartbeat_ticks is 0; at least 1");
  if (options.election_ticks <= options.heartbeat_ticks) {
    return InvalidArgument("election_ticks is ", options.election_ticks,
                           "; it must be more than heartbeat_ticks, which is ",
                           options.heartbeat_ticks);
  }
  if (options.flow.in_flight_messages_max == 0) {
    return InvalidArgument("flow.in_flight_messages_max is 0; at least 1");
  }
  if (options.snapshot_ticks_max == 0) {
    return InvalidArgument("snapshot_ticks_max is 0; at least 1");
  }
  if (!options.lease) return absl::OkStatus();
  if (!options.check_quorum) {
    return InvalidArgument("lease is set without check_quorum, on which it rests");
  }
  if (options.lease->clock_drift_percent >= 100) {
    return InvalidArgument("lease.clock_drift_percent is ", options.lease->clock_drift_percent,
                           "; it must be less than 100");
  }
  if (options.lease->tick_interval <= Duration::zero()) {
    return InvalidArgument("lease.tick_interval must be more than nothing");
  }
  return absl::OkStatus();
}

Duration LeaseDuration(const LeaseOptions& lease, uint32_t election_ticks) {
  const Duration shortest = lease.tick_interval * (election_ticks - 1);
  const uint32_t drift = lease.clock_drift_percent;
  return shortest / (100 + drift) * (100 - drift);
}

}  // namespace tinykv::raft
