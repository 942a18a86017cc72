#include "graders/stage2/store_process.h"

#include <utility>

#include "common/status.h"
#include "common/your_code_here.h"
#include "stage2-raftkv/raftstore/bootstrap.h"

namespace tinykv::grading {
namespace {

raft_serverpb::StoreIdent IdentOf(const StoreSetup& setup, uint64_t store) {
  raft_serverpb::StoreIdent ident;
  ident.set_cluster_id(setup.options.cluster_id);
  ident.set_store_id(store);
  return ident;
}

// Closing a store runs what its actors still have to do, and an actor ends where it meets a hole of
// the course. Whoever runs the simulation meets it as well, and says so.
void Close(raftstore::Store& store) {
  while (true) {
    try {
      return store.Close();
    } catch (const NotStarted&) {
    }
  }
}

}  // namespace

lsm::Options StoreEngineOptions(FileSystem& disk, Executor& background, bool small_tables,
                                std::vector<std::string> column_families) {
  lsm::Options engine{.file_system = &disk,
                      .background = &background,
                      .column_families = std::move(column_families)};
  engine.memtable_bytes = 1 << 20;
  if (small_tables) {
    engine.memtable_bytes = 4 << 10;
    engine.block_bytes = 256;
    engine.table_bytes = 2 << 10;
    engine.l0_compact_tables = 2;
    engine.level_bytes_base = 8 << 10;
  }
  return engine;
}

absl::Status PrepareStore(FileSystem& disk, Executor& background, const StoreSetup& setup,
                          uint64_t store) {
  const auto options = [&](std::vector<std::string> families) {
    return StoreEngineOptions(disk, background, setup.small_tables, std::move(families));
  };
  TKV_ASSIGN_OR_RETURN(auto raft,
                       lsm::DB::Open(options(raftstore::RaftColumnFamilies()), kRaftFolder));
  TKV_ASSIGN_OR_RETURN(auto kv, lsm::DB::Open(options(raftstore::KvColumnFamilies()), kKvFolder));
  TKV_RETURN_IF_ERROR(raftstore::InitializeStore({*raft, *kv}, IdentOf(setup, store),
                                                 raftstore::FirstRegion(setup.stores)));
  TKV_RETURN_IF_ERROR(raft->Close());
  return kv->Close();
}

StoreProcess::StoreProcess(sim::Machine& machine, const StoreSetup& setup)
    : machine_(machine), background_(machine.NewExecutor()), requests_(machine.NewExecutor()) {
  open_error_ = Open(setup);
}

StoreProcess::~StoreProcess() {
  if (store_ != nullptr) Close(*store_);
  // What requests hold (snapshots of the engine) goes before the engine does.
  machine_.DropTasks(requests_);
}

absl::Status StoreProcess::error() const {
  return store_ == nullptr ? open_error_ : store_->status();
}

absl::Status StoreProcess::CheckOrRejoin(raftstore::Engines engines, const StoreSetup& setup) {
  absl::Status found = raftstore::CheckStoreIdent(engines, IdentOf(setup, id()));
  if (!setup.rejoin || !absl::IsNotFound(found)) return found;
  return raftstore::InitializeStore(engines, IdentOf(setup, id()),
                                    raftstore::FirstRegion(setup.stores),
                                    raftstore::Beginning::kRejoin);
}

absl::Status StoreProcess::Open(const StoreSetup& setup) {
  const auto options = [&](std::vector<std::string> families) {
    return StoreEngineOptions(machine_.disk(), background_, setup.small_tables,
                              std::move(families));
  };
  const lsm::Options kv_options = options(raftstore::KvColumnFamilies());
  TKV_ASSIGN_OR_RETURN(raft_, lsm::DB::Open(options(raftstore::RaftColumnFamilies()), kRaftFolder));
  TKV_ASSIGN_OR_RETURN(kv_, lsm::DB::Open(kv_options, kKvFolder));
  const raftstore::Engines engines{*raft_, *kv_};
  TKV_RETURN_IF_ERROR(CheckOrRejoin(engines, setup));
  rate_ = std::make_unique<raftstore::RateLimit>(setup.snapshot_bytes_per_second, machine_.clock());
  snapshots_ = std::make_unique<raftstore::Snapshots>(*kv_, kv_options, kSnapshotFolder, *rate_);
  TKV_RETURN_IF_ERROR(snapshots_->Open());

  raftstore::StoreOptions store_options = setup.options;
  store_options.store_id = id();
  // What a life asks must not be taken for what an earlier one has asked.
  if (setup.rejoin) store_options.random_seed = machine_.random().Next();
  const raftstore::StoreDoors doors{
      .engines = engines,
      .clock = machine_.clock(),
      .transport = machine_.transport(),
      .snapshots = *snapshots_,
      .raft = machine_.NewExecutor(),
      .apply = machine_.NewExecutor(),
      .snapshot = machine_.NewExecutor(),
      .room = {.directory = "data",
               .reserve_bytes = setup.disk_reserve_bytes,
               .free_bytes = [&disk = machine_.disk()] { return disk.free_bytes(); }}};
  TKV_ASSIGN_OR_RETURN(store_, raftstore::Store::Open(store_options, doors, setup.handlers));
  storage_ = std::make_unique<RaftStorage>(*store_, *kv_, machine_.clock());
  return absl::OkStatus();
}

}  // namespace tinykv::grading
