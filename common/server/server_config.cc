#include "common/server/server_config.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/address.h"
#include "common/status.h"

namespace tinykv {
namespace {

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = 1 << 30;

constexpr uint64_t kNumberMax = uint64_t{1} << 62;  // of stores and clusters

// What a message needs beside one key and one value: the context, lengths, a region's epoch.
constexpr uint64_t kMessageOverheadBytes = kKiB;

// Stores send each other about 1 MiB at a time.
constexpr uint64_t kMemberMessageBytesMin = 4 * kMiB;

// Four snapshots at a time and chunks of 1 MiB: each moves on every four seconds.
constexpr uint64_t kSnapshotRateMin = kMiB;

absl::Status CheckAddress(std::string_view text) { return ParseAddress(text).status(); }

absl::Status CheckNotEmpty(std::string_view text) {
  return text.empty() ? InvalidArgument("\"\" is not a path") : absl::OkStatus();
}

void AddLimitKeys(Config& config, ServerConfig::Limits* limits) {
  config.AddSize("limits.message_bytes", &limits->message_bytes, {64 * kKiB, kGiB},
                 "Largest request or response");
  config.AddSize("limits.key_bytes", &limits->key_bytes, {1, 32 * kKiB}, "Largest key");
  config.AddSize("limits.value_bytes", &limits->value_bytes, {1, 128 * kMiB}, "Largest value");
  config.AddCount("limits.requests_in_flight", &limits->requests_in_flight, {1, 1'000'000},
                  "Requests that run at the same time; more are told that the server is busy");
}

void AddEngineKeys(Config& config, ServerConfig::Engine* engine) {
  config.AddSize("engine.memtable_bytes", &engine->memtable_bytes, {64 * kKiB, 4 * kGiB},
                 "Writes kept in memory before they become a sorted table");
  config.AddSize("engine.block_cache_bytes", &engine->block_cache_bytes, {0, 1024 * kGiB},
                 "Blocks of tables kept in memory for reads");
  config.AddSize("engine.block_bytes", &engine->block_bytes, {kKiB, 4 * kMiB},
                 "Aim for the size of a block");
  config.AddSize("engine.table_bytes", &engine->table_bytes, {64 * kKiB, 4 * kGiB},
                 "Aim for the size of a table");
  config.AddCount("engine.bloom_bits_per_key", &engine->bloom_bits_per_key, {0, 64},
                  "Bits of Bloom filter for each key; 0 for no filters");
  config.AddCount("engine.zstd_level", &engine->zstd_level, {0, 19},
                  "Compression of blocks, from 1 (fast) to 19 (small); 0 for none");
  config.AddCount("engine.background_threads", &engine->background_threads, {1, 64},
                  "Threads for flushes and compactions");
}

absl::Status CheckStores(std::string_view text) {
  return text.empty() ? absl::OkStatus() : ParseStores(text).status();
}

void AddClusterKeys(Config& config, ServerConfig::Cluster* cluster) {
  config.AddCount("cluster.id", &cluster->id, {1, kNumberMax}, "Number of the cluster");
  config.AddCount("cluster.store_id", &cluster->store_id, {0, kNumberMax},
                  "Number of this store in it; 0 for none");
  config.Add("cluster.stores", &cluster->stores,
             "Where all stores of the cluster are: 1=HOST:PORT,2=HOST:PORT,…", CheckStores);
  config.Add("cluster.new", &cluster->is_new,
             "Begin a new cluster, if the data directory is empty");
  config.Add("cluster.rejoin", &cluster->rejoin,
             "This store has lost its data: rejoin its cluster, if the data directory is empty");
  config.Add("cluster.restore", &cluster->restore,
             "Folder of a backup, or of a copy, with whose data the new cluster begins");
}

void AddRaftKeys(Config& config, ServerConfig::Raft* raft) {
  config.AddCount("raft.tick_ms", &raft->tick_ms, {1, 1000},
                  "Milliseconds in a tick, the unit of Raft's timeouts");
  config.AddCount("raft.election_ticks", &raft->election_ticks, {2, 10'000},
                  "Ticks without a leader, at least, before a store wants to be it");
  config.AddCount("raft.heartbeat_ticks", &raft->heartbeat_ticks, {1, 1'000},
                  "Ticks between two heartbeats of a leader");
  config.Add("raft.lease", &raft->lease, "Let a leader read without asking the other stores");
  config.AddCount("raft.log_entries_max", &raft->log_entries_max, {1, 1'000'000'000},
                  "Applied entries that a log keeps before it is compacted");
  config.AddSize("raft.disk_reserve", &raft->disk_reserve, {0, kGiB << 20},
                 "Free room on the disk, below which writes are refused; 0 for none");
  config.AddSize("raft.snapshot_bytes_per_second", &raft->snapshot_bytes_per_second,
                 {0, kGiB << 10},
                 "How fast the store sends its data to others that are far behind; 0 for no limit");
}

// One that is alone does not listen to these, so they must not be set.
absl::Status CheckAlone(const ServerConfig& server, int stage) {
  for (const auto& [is_set, table] :
       {std::pair(server.cluster != ServerConfig::Cluster(), "cluster"),
        std::pair(server.raft != ServerConfig::Raft(), "raft")}) {
    if (!is_set) continue;
    return InvalidArgument("there are settings of [", table, "], and a server of stage ", stage,
                           " is alone; leave them out, or use a server of stage 2");
  }
  return absl::OkStatus();
}

}  // namespace

void AddServerKeys(Config& config, ServerConfig* server) {
  config.Add("listen", &server->listen, "HOST:PORT where clients are served; port 0 takes any",
             CheckAddress);
  config.Add("status_listen", &server->status_listen,
             "HOST:PORT of the HTTP status page and metrics; port 0 takes any", CheckAddress);
  config.Add("data", &server->data, "Data directory; created if it is not there", CheckNotEmpty);
  config.Add("sync_writes", &server->sync_writes,
             "Acknowledge a write only when it would survive power loss");
  config.Add("log_level", &server->log_level, "debug, info, warning, error or off",
             OneOf({"debug", "info", "warning", "error", "off"}));
  config.AddDuration("shutdown_patience", &server->shutdown_patience,
                     {Duration::zero(), std::chrono::hours(1)},
                     "How long a stop waits for requests that run");
  AddLimitKeys(config, &server->limits);
  AddEngineKeys(config, &server->engine);
  AddClusterKeys(config, &server->cluster);
  AddRaftKeys(config, &server->raft);
}

absl::Status CheckServerConfig(const ServerConfig& server) {
  const ServerConfig::Limits& limits = server.limits;
  const uint64_t needed = limits.key_bytes + limits.value_bytes + kMessageOverheadBytes;
  if (needed > limits.message_bytes) {
    return InvalidArgument("limits.message_bytes is ", FormatSize(limits.message_bytes),
                           ", too little for limits.key_bytes (", FormatSize(limits.key_bytes),
                           ") and limits.value_bytes (", FormatSize(limits.value_bytes),
                           ") together; it must be at least ", FormatSize(needed));
  }
  if (server.listen == server.status_listen && !server.listen.ends_with(":0")) {
    return InvalidArgument("listen and status_listen are both ", server.listen,
                           "; they need a port each");
  }
  const uint64_t rate = server.raft.snapshot_bytes_per_second;
  if (rate > 0 && rate < kSnapshotRateMin) {
    return InvalidArgument("raft.snapshot_bytes_per_second is ", FormatSize(rate),
                           ", so little that stores would take one another for dead; it must be 0, "
                           "for no limit, or at least ",
                           FormatSize(kSnapshotRateMin));
  }
  if (server.raft.election_ticks <= server.raft.heartbeat_ticks) {
    return InvalidArgument("raft.election_ticks is ", server.raft.election_ticks,
                           "; it must be more than raft.heartbeat_ticks, which is ",
                           server.raft.heartbeat_ticks);
  }
  return absl::OkStatus();
}

absl::Status CheckStageConfig(const ServerConfig& server, int stage) {
  if (stage < 2) return CheckAlone(server, stage);
  const ServerConfig::Cluster& cluster = server.cluster;
  if (cluster.store_id == 0) {
    return InvalidArgument("cluster.store_id is 0; it must say which store of the cluster this is");
  }
  if (cluster.stores.empty()) {
    return InvalidArgument(
        "cluster.stores is empty; it must say where all stores are, such as "
        "\"1=127.0.0.1:20160\"");
  }
  TKV_ASSIGN_OR_RETURN(const auto stores, ParseStores(cluster.stores));
  if (!stores.contains(cluster.store_id)) {
    return InvalidArgument("cluster.store_id is ", cluster.store_id,
                           ", which is not among cluster.stores, ", Quote(cluster.stores));
  }
  if (cluster.is_new && cluster.rejoin) {
    return InvalidArgument(
        "cluster.new and cluster.rejoin are both true, and a store cannot begin both ways; leave "
        "out cluster.new where a store of an old cluster has lost its data, else cluster.rejoin");
  }
  if (!cluster.restore.empty() && !cluster.is_new) {
    return InvalidArgument("cluster.restore is ", Quote(cluster.restore),
                           ", and a backup is restored as a new cluster only; start each of its "
                           "stores with it and cluster.new true, or leave it out");
  }
  if (!server.sync_writes) {
    return InvalidArgument(
        "sync_writes is false, and a store that forgets what it promised its "
        "cluster does harm to all of it; leave it true");
  }
  if (server.limits.message_bytes < kMemberMessageBytesMin) {
    return InvalidArgument("limits.message_bytes is ", FormatSize(server.limits.message_bytes),
                           "; with it, stores also send each other logs and snapshots, and it must "
                           "be at least ",
                           FormatSize(kMemberMessageBytesMin));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<StoreId, std::string>> ParseStores(std::string_view text) {
  std::map<StoreId, std::string> stores;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const size_t equals = std::min(one.find('='), one.size());
    StoreId id = 0;
    const auto [end, error] = std::from_chars(one.data(), one.data() + equals, id);
    if (error != std::errc() || end != one.data() + equals || equals == one.size() || id == 0) {
      return InvalidArgument(Quote(one), " is no store; want NUMBER=HOST:PORT, such as ",
                             "1=127.0.0.1:20160, with commas between stores");
    }
    TKV_ASSIGN_OR_RETURN(const Address address, ParseAddress(one.substr(equals + 1)));
    if (!stores.emplace(id, address.ToString()).second) {
      return InvalidArgument(Quote(text), " has store ", id, " twice");
    }
  }
  return stores;
}

}  // namespace tinykv
