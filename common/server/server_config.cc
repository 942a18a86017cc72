#include "common/server/server_config.h"

#include "common/address.h"
#include "common/status.h"

namespace tinykv {
namespace {

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = 1 << 30;

// What a message needs beside one key and one value: the context, lengths, a region's epoch.
constexpr uint64_t kMessageOverheadBytes = kKiB;

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
  return absl::OkStatus();
}

}  // namespace tinykv
