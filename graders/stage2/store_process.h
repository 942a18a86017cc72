// StoreProcess: a whole store as a process of a simulated world: engines on the machine's disk,
// raftstore on its executors and transport, RaftStorage on top.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "graders/sim/machine.h"
#include "stage2-raftkv/raft_storage.h"
#include "stage2-raftkv/raftstore/store.h"

namespace tinykv::grading {

struct StoreSetup {
  raftstore::StoreOptions options = {};
  // The stores of the cluster, in order; this one has the machine's number.
  std::vector<uint64_t> stores = {};
  // Memtables and tables so small that a few writes cause flushes and compactions.
  bool small_tables = false;
  raftstore::AdminHandlers handlers = {};
  // A store that finds its disk empty has lost what was on it, and rejoins.
  bool rejoin = false;
  uint64_t disk_reserve_bytes = 0;
  uint64_t snapshot_bytes_per_second = 0;
};

// Where a store has what, on its disk.
inline constexpr char kRaftFolder[] = "data/raft";
inline constexpr char kKvFolder[] = "data/kv";
inline constexpr char kSnapshotFolder[] = "data/snapshots";

// How the store's engines are opened.
lsm::Options StoreEngineOptions(FileSystem& disk, Executor& background, bool small_tables,
                                std::vector<std::string> column_families);

// Makes a new store on an empty disk, as an operator does once.
absl::Status PrepareStore(FileSystem& disk, Executor& background, const StoreSetup& setup,
                          uint64_t store);

class StoreProcess final : public sim::Process {
 public:
  // REQUIRES: PrepareStore() was done, or setup.rejoin. If the store does not start, error() says
  // why.
  StoreProcess(sim::Machine& machine, const StoreSetup& setup);
  ~StoreProcess() override;

  uint64_t id() const { return machine_.id(); }
  // Why it has not started, or has stopped; OK while it works.
  absl::Status error() const;

  // REQUIRES (the rest): it has started.
  RaftStorage& storage() { return *storage_; }
  raftstore::Store& store() { return *store_; }
  lsm::DB& raft_engine() { return *raft_; }
  lsm::DB& kv_engine() { return *kv_; }
  // On which requests arrive.
  Executor& requests() { return requests_; }

  // Requests that have arrived and are not answered: for who asks, to count.
  uint64_t unanswered = 0;

 private:
  absl::Status Open(const StoreSetup& setup);
  absl::Status CheckOrRejoin(raftstore::Engines engines, const StoreSetup& setup);

  sim::Machine& machine_;
  Executor& background_;
  Executor& requests_;
  absl::Status open_error_;
  std::unique_ptr<lsm::DB> raft_;
  std::unique_ptr<lsm::DB> kv_;
  std::unique_ptr<raftstore::RateLimit> rate_;
  std::unique_ptr<raftstore::Snapshots> snapshots_;
  std::unique_ptr<raftstore::Store> store_;
  std::unique_ptr<RaftStorage> storage_;
};

}  // namespace tinykv::grading
