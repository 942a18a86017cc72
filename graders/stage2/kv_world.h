// KvWorld: a plan as it is carried out: whole stores in a simulated world, clients, and faults.
//
// First things go wrong, and nothing that clients see may be wrong. Then all is mended, and every
// client must get through within a time. In the end all stores must hold the same, which must be
// what was acknowledged, also after the power of all of them fails once more.
//
// Thread-safety: none.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/sim/world.h"
#include "graders/stage2/kv_clients.h"
#include "graders/stage2/kv_plan.h"
#include "graders/stage2/store_process.h"
#include "graders/stage2/world_faults.h"
#include "graders/task/finding.h"

namespace tinykv::grading {

class KvWorld {
 public:
  KvWorld(const KvPlan& plan, bool keep_trace);
  ~KvWorld();

  // Once. Nothing if all is as it must be.
  Result Run();

  const sim::Trace& trace() { return world_.trace(); }
  // Stores that had to be started again because an error had stopped them.
  uint64_t restarts() const { return restarts_; }

 private:
  StoreSetup SetupOf() const;
  void AddStores();
  StoreProcess* Working(uint64_t store);

  // A command that must take effect once for each time it is in the log: it raises the region's
  // conf_ver by one.
  void ScheduleBumps();
  void Bump(StoreProcess& store);

  // Counts snapshots; the first to arrive anywhere is interrupted or slowed down, and other
  // messages get lost, if the plan says so.
  void WatchNetwork();
  bool IsLost(uint64_t from, uint64_t to, std::string_view message);
  // A snapshot goes to `store`, whose disk is slow from now on; clients rest until all is mended.
  void SlowDown(uint64_t store);
  void CrashAtChange(uint64_t store, uint32_t change);

  // One store at a time may have lost its disk and not be back.
  bool MayWipe(uint64_t store);

  // Starts again what has stopped or could not start, as an operator's supervisor does.
  void ScheduleSupervisor();

  // Whether somebody leads and all stores have applied all there is.
  bool IsQuiet();
  Result RunFaultyTime();
  Result RunLiveness();
  Result CheckStores();
  Result CheckAnswers();
  Result CheckTransfers();
  Result CheckSnapshotFolders();
  Result CheckLogs(uint64_t store);
  Result Blackout();
  // A finding that there is by now.
  Result Found();
  bool IsOver() { return Found().has_value(); }
  std::string HowTheyStand();

  const KvPlan plan_;
  sim::World world_;
  std::map<uint64_t, StoreProcess*> processes_;
  WorldFaults faults_;
  KvClients clients_;
  // Transfers that were begun, by the store that they go to; each by sender and number.
  std::map<uint64_t, std::set<std::pair<uint64_t, uint64_t>>> transfers_;
  // Appends that were the first of their term on their link, which is given by its ends.
  std::set<std::pair<uint64_t, std::pair<uint64_t, uint64_t>>> first_appends_;
  std::optional<uint64_t> wiped_;  // the last store to lose its disk, until it has rejoined
  bool is_mended_ = false;
  bool is_interrupted_ = false;  // a snapshot has been
  bool is_resting_ = false;
  bool is_blackout_over_ = false;
  uint64_t restarts_ = 0;
  uint64_t bumps_tried_ = 0;
  uint64_t bumps_done_ = 0;
  absl::Status prepare_error_;
};

// Runs `plan`; where it fails, where a trace is wanted, and if told so, once more with a trace, and
// compares: both must be the same.
Result RunKvPlan(const KvPlan& plan, bool run_twice);

}  // namespace tinykv::grading
