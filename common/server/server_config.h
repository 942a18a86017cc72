// ServerConfig: the settings that all stage servers have. docs/example-config.toml explains them to
// operators, key by key; a test keeps the two equal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config.h"
#include "common/env/clock.h"
#include "common/env/transport.h"

namespace tinykv {

struct ServerConfig {
  std::string listen = "127.0.0.1:20160";
  std::string status_listen = "127.0.0.1:20180";
  std::string data = "data";
  bool sync_writes = true;
  std::string log_level = "info";
  Duration shutdown_patience = std::chrono::seconds(10);

  // What a client may ask for; beyond it there is an error, and nothing is done.
  struct Limits {
    uint64_t message_bytes = 16 << 20;
    uint64_t key_bytes = 4 << 10;
    uint64_t value_bytes = 8 << 20;
    uint64_t requests_in_flight = 4096;
    bool operator==(const Limits&) const = default;
  } limits;

  // As lsm::Options calls them.
  struct Engine {
    uint64_t memtable_bytes = 64 << 20;
    uint64_t block_cache_bytes = 128 << 20;
    uint64_t block_bytes = 16 << 10;
    uint64_t table_bytes = 32 << 20;
    uint64_t bloom_bits_per_key = 10;
    uint64_t zstd_level = 1;
    uint64_t background_threads = 2;
    bool operator==(const Engine&) const = default;
  } engine;

  // Which store this is, and of what cluster: from stage 2 on, where it must be said.
  struct Cluster {
    uint64_t id = 1;
    StoreId store_id = 0;  // 0: a store that is alone
    std::string stores;    // as ParseStores() takes it
    bool is_new = false;
    bool rejoin = false;
    std::string restore;  // the folder of a backup
    bool operator==(const Cluster&) const = default;
  } cluster;

  // How its peers behave, from stage 2 on. As raft::RaftOptions calls them.
  struct Raft {
    uint64_t tick_ms = 100;
    uint64_t election_ticks = 10;
    uint64_t heartbeat_ticks = 2;
    bool lease = true;
    uint64_t log_entries_max = 50'000;
    uint64_t disk_reserve = 256 << 20;
    uint64_t snapshot_bytes_per_second = 100 << 20;
    bool operator==(const Raft&) const = default;
  } raft;

  bool operator==(const ServerConfig&) const = default;
};

// Adds every field to `config`. `server` must outlive it.
void AddServerKeys(Config& config, ServerConfig* server);

// What no key can check alone. Errors: kInvalidArgument, naming the keys.
absl::Status CheckServerConfig(const ServerConfig& server);

// Whether a server of `stage` can do what the settings say: one that is alone has no cluster, and a
// member of one must know it. Errors: kInvalidArgument, naming the keys.
absl::Status CheckStageConfig(const ServerConfig& server, int stage);

// Reads cluster.stores, "1=HOST:PORT,2=HOST:PORT": where each store is.
// Errors: kInvalidArgument, saying what is wrong with `text` and what would be right.
absl::StatusOr<std::map<StoreId, std::string>> ParseStores(std::string_view text);

}  // namespace tinykv
