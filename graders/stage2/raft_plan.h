// RaftPlan: all that is decided about a simulated run before it begins: the group, the network, the
// load, and what goes wrong when. A value: it is drawn, made smaller, printed and run again.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <iosfwd>
#include <vector>

#include "common/env/clock.h"
#include "graders/sim/network.h"
#include "graders/stage2/world_faults.h"
#include "stage2-raftkv/raft/options.h"

namespace tinykv::grading {

struct RaftPlan {
  uint64_t seed = 0;
  uint64_t members = 3;
  // Extras of the core, each on or off.
  bool pre_vote = false;
  bool check_quorum = false;
  bool lease = false;
  bool fast_back_off = false;
  bool commit_rides_along = false;
  bool pipelining = true;
  bool one_entry_a_message = false;
  // Clocks run up to so much too fast or too slow.
  uint32_t drift_percent = 0;

  bool calm_links = true;     // else drawn from `seed`, swarm style
  uint32_t write_ms_max = 0;  // how long a write to the disk takes at most

  uint32_t propose_every_ms = 100;  // 0: never
  uint32_t read_every_ms = 0;       // 0: never
  uint32_t compact_every = 0;       // entries; 0: never

  // In this time things go wrong; then everything is mended.
  uint32_t faulty_ms = 5000;
  std::vector<WorldFault> faults = {};
};

// For what `links` stand, by the seed.
sim::LinkOptions LinksOf(const RaftPlan& plan);

// What goes wrong in the plans of a task.
struct RaftPlanKind {
  bool crashes = false;
  bool partitions = false;
  bool bad_links = false;
};
rc::Gen<RaftPlan> AnyRaftPlan(const RaftPlanKind& kind);

std::ostream& operator<<(std::ostream& out, const RaftPlan& plan);

}  // namespace tinykv::grading
