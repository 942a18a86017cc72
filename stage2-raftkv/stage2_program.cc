#include "stage2-raftkv/stage2_program.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/file_system.h"
#include "common/env/free_space.h"
#include "common/log.h"
#include "common/server/grpc_transport.h"
#include "common/status.h"
#include "stage1-standalone/engine_metrics.h"
#include "stage1-standalone/engine_options.h"
#include "stage1-standalone/raw_handlers.h"
#include "stage2-raftkv/backup_handler.h"
#include "stage2-raftkv/leader_address.h"
#include "stage2-raftkv/raft_storage.h"
#include "stage2-raftkv/raftstore/backup.h"
#include "stage2-raftkv/raftstore/bootstrap.h"
#include "stage2-raftkv/region_report.h"
#include "stage2-raftkv/region_report_handler.h"

namespace tinykv {
namespace {

// A log is written and deleted; only for a member that is behind it is read.
constexpr uint64_t kRaftBlockCacheBytesMax = 8 << 20;

// What a raft message has beside its one command. limits.message_bytes leaves as much room.
constexpr uint64_t kRaftMessageOverheadBytes = 512;

// How long a command or read waits for a store that has lost its leadership, at least.
constexpr uint64_t kPatienceMillis = 5000;

// How long /status and /metrics wait for the store's actor, which may wait for its disk.
constexpr Duration kReportPatience = std::chrono::seconds(1);

using Stores = std::map<StoreId, std::string>;

std::string NamesOf(const std::vector<StoreId>& stores) {
  std::string names;
  for (const StoreId store : stores) names += Concat(names.empty() ? "" : ", ", store);
  return names;
}

raft_serverpb::StoreIdent IdentOf(const ServerConfig::Cluster& cluster) {
  raft_serverpb::StoreIdent ident;
  ident.set_cluster_id(cluster.id);
  ident.set_store_id(cluster.store_id);
  return ident;
}

raftstore::StoreOptions OptionsOf(const ServerConfig& config) {
  raftstore::StoreOptions options = {.cluster_id = config.cluster.id,
                                     .store_id = config.cluster.store_id};
  options.tick_interval = std::chrono::milliseconds(config.raft.tick_ms);
  options.random_seed = std::random_device()();
  options.raft.election_ticks = static_cast<uint32_t>(config.raft.election_ticks);
  options.raft.heartbeat_ticks = static_cast<uint32_t>(config.raft.heartbeat_ticks);
  if (config.raft.lease) {
    options.raft.lease = raft::LeaseOptions{.tick_interval = options.tick_interval};
  }
  // Long enough for an election, and for people no shorter when ticks are.
  options.patience_ticks = static_cast<uint32_t>(
      std::max(2 * config.raft.election_ticks, kPatienceMillis / config.raft.tick_ms));
  options.log.entries_max = config.raft.log_entries_max;
  options.command_bytes_max = config.limits.message_bytes - kRaftMessageOverheadBytes;
  return options;
}

GrpcTransportOptions TransportOptions(const ServerConfig& config, Stores stores) {
  stores.erase(config.cluster.store_id);
  return {.cluster_id = config.cluster.id,
          .store_id = config.cluster.store_id,
          .addresses = std::move(stores),
          .seed = std::random_device()(),
          .message_bytes_max = config.limits.message_bytes};
}

// In the order in which they depend on one another; destroyed in the opposite order.
class Stage2Parts : public StageParts {
 public:
  explicit Stage2Parts(const ServerConfig& config)
      : config_(config),
        background_(MakeThreadExecutor(
            {.threads = static_cast<int>(config.engine.background_threads), .name = "engine"})),
        raft_actor_(MakeThreadExecutor({.threads = 1, .name = "raft"})),
        apply_actor_(MakeThreadExecutor({.threads = 1, .name = "apply"})),
        snapshot_actor_(MakeThreadExecutor({.threads = 1, .name = "snapshot"})),
        bulk_(MakeThreadExecutor({.threads = 1, .name = "transport"})),
        raft_names_{.column_families = raftstore::RaftColumnFamilies(),
                    .labels = {{"engine", "raft"}}},
        kv_names_{.column_families = raftstore::KvColumnFamilies(), .labels = {{"engine", "kv"}}},
        rate_(config.raft.snapshot_bytes_per_second, SystemClock()) {}

  absl::Status Open(Server& server, Metrics& metrics) {
    TKV_ASSIGN_OR_RETURN(const Stores stores, ParseStores(config_.cluster.stores));
    TKV_RETURN_IF_ERROR(MaybeRestore());
    TKV_RETURN_IF_ERROR(OpenEngines());
    const absl::Status is_ours = CheckOrBegin(stores);
    if (!is_ours.ok()) return Annotate(is_ours, Concat("data directory ", config_.data));
    TKV_RETURN_IF_ERROR(snapshots_->Open());
    TKV_RETURN_IF_ERROR(backups_->Open());
    transport_ = std::make_unique<GrpcTransport>(TransportOptions(config_, stores), *bulk_,
                                                 SystemClock(), metrics);
    TKV_RETURN_IF_ERROR(OpenStore());
    TKV_RETURN_IF_ERROR(CheckMembers(stores));
    storage_ = std::make_unique<RaftStorage>(*store_, *kv_, SystemClock());
    addressing_ = WithLeaderAddresses(*storage_, stores);
    handlers_ = std::make_unique<RawHandlers>(*addressing_, RawLimitsOf(config_.limits));
    InstallRaw(server, *handlers_);
    reporter_ = std::make_unique<RegionReportHandler>(*store_, config_.cluster.id, stores);
    InstallStoreStatus(server, *reporter_);
    backup_handler_ =
        std::make_unique<BackupHandler>(*addressing_, *store_, *backups_, *snapshot_actor_);
    InstallBackup(server, *backup_handler_);
    server.stream_handlers() = transport_->handlers();
    collector_ = metrics.AddCollector([this](MetricSink& sink) { Collect(sink); });
    return absl::OkStatus();
  }

  absl::Status Health() override { return store_->status(); }

  absl::Status Close() override {
    collector_.reset();
    // First who sends, then by what; nobody else calls either by now.
    store_->Close();
    transport_.reset();
    const absl::Status raft = raft_->Close();
    const absl::Status kv = kv_->Close();
    return raft.ok() ? kv : raft;
  }

  nlohmann::json Status() override {
    nlohmann::json status = {
        {"store", {{"id", config_.cluster.store_id}, {"cluster_id", config_.cluster.id}}},
        {"engines",
         {{"raft", EngineStatus(raft_->GetStatistics(), raft_names_)},
          {"kv", EngineStatus(kv_->GetStatistics(), kv_names_)}}}};
    const absl::Status health = store_->status();
    status["store"]["error"] = health.ok() ? "" : health.ToString();
    status["store"]["waits_for_room"] = WaitsForRoom();
    const absl::Status room = store_->room().MayPropose();
    status["store"]["refuses_writes"] = room.ok() ? "" : MessageOf(room);
    const auto reports = ReportRegions(*store_, kReportPatience);
    status["store"]["answers"] = reports.has_value();
    status["regions"] = reports ? RegionStatus(*reports) : nlohmann::json::array();
    return status;
  }

 private:
  lsm::Options KvOptions() const {
    lsm::Options kv = EngineOptions(config_.engine, *background_);
    kv.column_families = kv_names_.column_families;
    return kv;
  }

  // The first thing that a new store does, if it is told to: so a directory that has either engine
  // has begun, and is left as it is.
  absl::Status MaybeRestore() const {
    const std::string kv = JoinPath(config_.data, "kv");
    FileSystem& disk = PosixFileSystem();
    if (config_.cluster.restore.empty() || disk.Exists(kv) ||
        disk.Exists(JoinPath(config_.data, "raft"))) {
      return absl::OkStatus();
    }
    TKV_RETURN_IF_ERROR(
        raftstore::RestoreBackup(KvOptions(), config_.cluster.restore, kv, config_.cluster.id));
    log::Info("restored a backup", {{"backup", config_.cluster.restore}});
    return absl::OkStatus();
  }

  absl::Status OpenEngines() {
    lsm::Options raft = EngineOptions(config_.engine, *background_);
    raft.column_families = raft_names_.column_families;
    raft.block_cache_bytes = std::min(raft.block_cache_bytes, kRaftBlockCacheBytesMax);
    TKV_ASSIGN_OR_RETURN(raft_, lsm::DB::Open(raft, JoinPath(config_.data, "raft")));

    const lsm::Options kv = KvOptions();
    TKV_ASSIGN_OR_RETURN(kv_, lsm::DB::Open(kv, JoinPath(config_.data, "kv")));
    snapshots_ = std::make_unique<raftstore::Snapshots>(*kv_, kv,
                                                        JoinPath(config_.data, "snapshots"), rate_);
    backups_ = std::make_unique<raftstore::Backups>(
        *kv_, kv, std::filesystem::absolute(JoinPath(config_.data, "backups")).string());
    return absl::OkStatus();
  }

  raftstore::Engines Engines() const { return {*raft_, *kv_}; }

  // OK if the engines are this store's, or become those of a new one.
  absl::Status CheckOrBegin(const Stores& stores) const {
    const raft_serverpb::StoreIdent ident = IdentOf(config_.cluster);
    absl::Status found = raftstore::CheckStoreIdent(Engines(), ident);
    const bool rejoins = config_.cluster.rejoin;
    if (absl::IsDataLoss(found)) {
      return DataLoss(MessageOf(found),
                      ". Remove all of it and start with --cluster.rejoin true, while all other "
                      "stores run: they give this one its data again");
    }
    if (found.ok() && rejoins) {
      log::Info("cluster.rejoin changes nothing: there is data", {{"data", config_.data}});
    }
    if (found.ok() && !config_.cluster.restore.empty()) {
      log::Info("cluster.restore changes nothing: there is data", {{"data", config_.data}});
    }
    if (!absl::IsNotFound(found)) return found;
    TKV_RETURN_IF_ERROR(CheckRestored());
    if (!config_.cluster.is_new && !rejoins) {
      return FailedPrecondition(
          "there is no store in it. If the whole cluster is new, start each of its stores with "
          "--cluster.new true. If this store had data, it must not begin anew, since it has "
          "forgotten how it voted and what it acknowledged: find its directory; or, if that is "
          "lost, start it with --cluster.rejoin true while all other stores run, which give it "
          "its data again");
    }
    std::vector<StoreId> members;
    for (const auto& [store, address] : stores) members.push_back(store);
    const auto beginning = rejoins ? raftstore::Beginning::kRejoin : raftstore::Beginning::kNew;
    return raftstore::InitializeStore(Engines(), ident, raftstore::FirstRegion(members), beginning);
  }

  // Nobody may take a new cluster for a restored one, or the other way round.
  absl::Status CheckRestored() const {
    TKV_ASSIGN_OR_RETURN(const bool is_restored, raftstore::IsRestored(Engines()));
    const std::string& backup = config_.cluster.restore;
    if (backup.empty() && is_restored) {
      return FailedPrecondition(
          "a restore from a backup has begun in it: start with --cluster.restore again, or remove "
          "all of it");
    }
    if (!backup.empty() && !is_restored) {
      return FailedPrecondition("it has begun without the backup ", backup,
                                ", which is restored into an empty directory only: remove all of "
                                "it");
    }
    return absl::OkStatus();
  }

  absl::Status OpenStore() {
    const raftstore::StoreDoors doors = {
        .engines = Engines(),
        .clock = SystemClock(),
        .transport = *transport_,
        .snapshots = *snapshots_,
        .raft = *raft_actor_,
        .apply = *apply_actor_,
        .snapshot = *snapshot_actor_,
        .room = {.directory = config_.data,
                 .reserve_bytes = config_.raft.disk_reserve,
                 .free_bytes = [directory = config_.data] { return FreeBytes(directory); }}};
    TKV_ASSIGN_OR_RETURN(
        store_, raftstore::Store::Open(OptionsOf(config_), doors,
                                       {{raft_cmdpb::CompactLog, raftstore::CompactLogHandler()}}));
    return absl::OkStatus();
  }

  // A member without an address would never hear of anything; a store that is no member would wait
  // for ever. In this stage the members do not change.
  absl::Status CheckMembers(const Stores& stores) const {
    std::vector<StoreId> named;
    for (const auto& [store, address] : stores) named.push_back(store);
    const auto view = store_->views().Find(0);
    if (view == nullptr) return DataLoss("the kv engine has no region");
    std::vector<StoreId> members;
    for (const metapb::Peer& peer : view->description.peers()) members.push_back(peer.store_id());
    std::sort(members.begin(), members.end());
    if (named == members) return absl::OkStatus();
    return FailedPrecondition("cluster.stores has stores ", NamesOf(named), ", and the data in ",
                              config_.data, " is of a cluster of stores ", NamesOf(members),
                              "; in stage 2 that cannot change");
  }

  bool WaitsForRoom() const {
    return absl::IsResourceExhausted(store_->status()) && config_.raft.disk_reserve > 0;
  }

  void Collect(MetricSink& sink) {
    CollectEngineMetrics(raft_->GetStatistics(), sink, raft_names_);
    CollectEngineMetrics(kv_->GetStatistics(), sink, kv_names_);
    sink.Gauge("tinykv_store_stopped",
               "1 if an error has stopped the store, else 0; /status says which.",
               store_->status().ok() ? 0 : 1);
    sink.Gauge("tinykv_store_waits_for_room",
               "1 if a full disk has stopped the store, which opens again when there is room.",
               WaitsForRoom() ? 1 : 0);
    sink.Gauge("tinykv_store_refuses_writes",
               "1 while the disk has less room than raft.disk_reserve, else 0.",
               store_->room().MayPropose().ok() ? 0 : 1);
    if (const auto reports = ReportRegions(*store_, kReportPatience)) {
      CollectRegionMetrics(*reports, sink);
    }
  }

  const ServerConfig& config_;
  const std::unique_ptr<Executor> background_;
  const std::unique_ptr<Executor> raft_actor_;
  const std::unique_ptr<Executor> apply_actor_;
  const std::unique_ptr<Executor> snapshot_actor_;
  const std::unique_ptr<Executor> bulk_;  // the transport's
  const EngineNames raft_names_;
  const EngineNames kv_names_;
  raftstore::RateLimit rate_;
  std::unique_ptr<lsm::DB> raft_;
  std::unique_ptr<lsm::DB> kv_;
  std::unique_ptr<raftstore::Snapshots> snapshots_;
  std::unique_ptr<raftstore::Backups> backups_;
  std::unique_ptr<GrpcTransport> transport_;
  std::unique_ptr<raftstore::Store> store_;
  std::unique_ptr<RaftStorage> storage_;
  std::unique_ptr<Storage> addressing_;
  std::unique_ptr<RawHandlers> handlers_;
  std::unique_ptr<RegionReportHandler> reporter_;
  std::unique_ptr<BackupHandler> backup_handler_;
  std::unique_ptr<Metrics::Registration> collector_;
};

absl::StatusOr<std::unique_ptr<StageParts>> Open(const ServerConfig& config, Server& server,
                                                 Metrics& metrics) {
  auto parts = std::make_unique<Stage2Parts>(config);
  TKV_RETURN_IF_ERROR(parts->Open(server, metrics));
  return parts;
}

// The reserve is free again, which is what the store wants of a disk anyway.
//
// To open again in the same process is as safe as a restart. The engines take nothing over from the
// handles of before; what they find, they find in files. Of these some may show what is not on
// disk, where a sync failed and the kernel has dropped the dirty pages: and no later sync would
// bring that back. But recovery (lsm/db/recovery.cc) goes on with none of them. Logs are read, and
// what they hold is written to new tables; the manifest is read, and written anew; both are synced
// under new names before the old files are removed or written to. Tables that the manifest names
// were synced before it named them. So what recovery has read is durable by the time the store acts
// on it: what was acknowledged, and perhaps what was about to be.
bool HasRoom(const ServerConfig& config) {
  const auto free_bytes = FreeBytes(config.data);
  return free_bytes.ok() && *free_bytes >= config.raft.disk_reserve;
}

}  // namespace

ServerProgram Stage2Program() {
  return {.name = "stage2-server",
          .stage = 2,
          .purpose =
              "Serves one store of a replicated cluster: raw keys and values over TinyKV's "
              "protocol.",
          .open = Open,
          .has_room = HasRoom};
}

}  // namespace tinykv
