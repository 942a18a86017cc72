// ApplierBench: a kv engine on a simulated disk with an applier on it, and nothing else of a store.
//
// Thread-safety: none.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/sim/sim_file_system.h"
#include "stage2-raftkv/raftstore/applier.h"

namespace tinykv::grading {

// What clients can read, by column family and key: "lock k".
using KvContent = std::map<std::string, std::string>;
std::string ToString(const KvContent& content);

class ApplierBench {
 public:
  // `handlers` must outlive this.
  ApplierBench(uint64_t seed, const raftstore::AdminHandlers& handlers);

  // Opens the engine, at first and after FailPower().
  absl::Status Open();
  // Has an applier begin with `region`. REQUIRES: the engine is open.
  void Start(raftstore::AppliedRegion region, raftstore::Applier::Listener listener);
  // Until there is nothing to do.
  void Work();
  // The applier and the engine are gone, and what was not synced is lost.
  void FailPower();

  lsm::DB& kv() { return *kv_; }
  lsm::Options options();
  raftstore::Applier& applier() { return *applier_; }
  sim::SimFileSystem& disk() { return disk_; }

  absl::StatusOr<KvContent> Content();
  // As it is stored; empty if there is none.
  absl::StatusOr<raft_serverpb::RaftApplyState> ApplyState(raftstore::RegionId region);

 private:
  Random random_;
  sim::SimClock clock_;
  sim::SimFileSystem disk_;
  sim::SimExecutor executor_;
  const raftstore::AdminHandlers& handlers_;
  std::unique_ptr<lsm::DB> kv_;
  std::unique_ptr<raftstore::Applier> applier_;
};

}  // namespace tinykv::grading
