// ServerConfig: the settings that all stage servers have. docs/example-config.toml explains them to
// operators, key by key; a test keeps the two equal.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/config.h"
#include "common/env/clock.h"

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

  bool operator==(const ServerConfig&) const = default;
};

// Adds every field to `config`. `server` must outlive it.
void AddServerKeys(Config& config, ServerConfig* server);

// What no key can check alone. Errors: kInvalidArgument, naming the keys.
absl::Status CheckServerConfig(const ServerConfig& server);

}  // namespace tinykv
