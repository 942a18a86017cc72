// KvPlan: all that is decided about a simulated run of whole stores before it begins. A value: it
// is drawn, made smaller, printed and run again.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <iosfwd>
#include <vector>

#include "graders/sim/network.h"
#include "graders/stage2/world_faults.h"

namespace tinykv::grading {

struct KvPlan {
  uint64_t seed = 0;
  uint64_t stores = 3;

  bool lease = true;           // else every read asks the others
  uint32_t drift_percent = 0;  // clocks run up to so much too fast or too slow
  bool calm_links = true;      // else drawn from `seed`, swarm style
  uint32_t sync_ms = 1;        // how long a sync takes
  uint32_t write_us = 10;      // and every other operation of a disk
  bool small_tables = false;
  bool first_appends_lost = false;  // those of a new leader, one to each of the others
  bool disk_reserve = true;         // stores stop to take writes before their disk is full

  uint64_t clients = 3;
  uint64_t keys = 2;
  uint32_t pause_ms = 30;       // of a client between two requests, at most
  uint32_t loss_percent = 0;    // of requests and of replies
  uint32_t patience_ms = 2000;  // of the first client with a request that nobody answers
  uint32_t stray_percent = 0;   // of gets go to just any store, whoever leads
  uint32_t value_bytes = 8;
  uint32_t log_entries_max = 0;  // compacted beyond; 0: never

  // When the first piece of a snapshot has arrived at a store, so many more changes of its disk are
  // done; then it crashes, and starts again soon after. 0: that does not happen.
  uint32_t interrupt_at_change = 0;
  // From when a snapshot is first sent to a store, each sync there takes so long: so it answers
  // late. Clients rest meanwhile. 0: that does not happen.
  uint32_t install_sync_ms = 0;
  // Nothing goes wrong but one of these, and that stores are cut off: without an interruption, each
  // of these gets one snapshot at most, and others none.
  bool few_snapshots = false;

  // In this time things go wrong; then everything is mended.
  uint32_t faulty_ms = 5000;
  std::vector<WorldFault> faults = {};

  bool wipes() const;  // whether a store may lose its disk
};

// For what `links` stand, by the seed.
sim::LinkOptions LinksOf(const KvPlan& plan);

struct KvPlanKind {
  WorldFaultKind faults = {};
  bool bad_links = false;
  bool drift = false;
  bool compaction = false;  // logs are short, so that who falls behind needs a snapshot
};
rc::Gen<KvPlan> AnyKvPlan(const KvPlanKind& kind);
// A store is cut off until it needs a snapshot, whose arrival is interrupted, or not.
rc::Gen<KvPlan> AnyInterruptedSnapshot();
// Stores lose their disks, one after the other, while more goes wrong.
rc::Gen<KvPlan> AnyLostDisks();

std::ostream& operator<<(std::ostream& out, const KvPlan& plan);

}  // namespace tinykv::grading
