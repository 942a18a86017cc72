// Options: how a member behaves. All members of a group have the same, but for `id` and the seed.
//
// With `RaftOptions{.id = 1}` a core does what the Raft paper says and no more; each extra can be
// switched on for itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "stage2-raftkv/raft/progress.h"
#include "stage2-raftkv/raft/types.h"

namespace tinykv::raft {

// Under what a leader may serve reads without asking anybody (thesis 6.4.1): until an election
// could have taken place elsewhere, counted from its last heartbeats that a majority answered.
struct LeaseOptions {
  // How long a tick is, at least: from one to the next, however late the first of them came. A
  // tick that an owner missed is lost, never made up for by two that are closer.
  Duration tick_interval = {};
  // How much faster or slower than true time the clock of any member may run.
  uint32_t clock_drift_percent = 10;
};

struct RaftOptions {
  PeerId id = kNone;
  // Of the election timeouts, which are drawn anew each time.
  uint64_t random_seed = 0;

  // A member that hears nothing for a random number of ticks in [election_ticks, 2 election_ticks)
  // starts an election (Raft paper 5.2); a leader is heard of every heartbeat_ticks.
  uint32_t election_ticks = 10;
  uint32_t heartbeat_ticks = 1;

  FlowLimits flow = {};
  // Committed entries that one Ready hands out (SizeOf()); a single entry may be larger.
  size_t apply_bytes_max = 4 << 20;

  // ---- extras ----

  // Ask whether an election could be won before starting it (thesis 9.6): a member that was cut off
  // does not push up the term of a group that is well.
  bool pre_vote = false;
  // A leader that a majority does not answer for election_ticks steps down, and members that hear
  // from their leader vote for nobody else (thesis 6.2 and 4.2.3).
  bool check_quorum = false;
  // Needs check_quorum, at every member.
  std::optional<LeaseOptions> lease = {};
  // Skip whole terms where logs differ (conflict_hint.h), instead of single entries.
  bool fast_back_off = false;
  // A leader does not tell at once that more is committed where it has no entries to send, but with
  // the next append: others know it later, by up to a heartbeat and its answer, for half as many
  // messages.
  bool commit_rides_along = false;
  // A leader whose entries are not committed stops to take more at this many bytes.
  size_t uncommitted_bytes_max = std::numeric_limits<size_t>::max();
  // Reads that may wait at a leader.
  size_t waiting_reads_max = 4096;
  // How long nothing may be heard of a snapshot before it is given up.
  uint32_t snapshot_ticks_max = 200;
};

// Errors: kInvalidArgument, naming the option and what would be right.
absl::Status Validate(const RaftOptions& options);

// How long after a heartbeat was sent, by the leader's clock, its lease holds. A follower refuses
// others its vote for election_ticks after it got the heartbeat; the first of these ticks may come
// at once, its clock may be as fast as allowed, and the leader's own as slow.
Duration LeaseDuration(const LeaseOptions& lease, uint32_t election_ticks);

}  // namespace tinykv::raft
