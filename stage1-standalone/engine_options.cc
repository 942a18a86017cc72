#include "stage1-standalone/engine_options.h"

namespace tinykv {

lsm::Options EngineOptions(const ServerConfig::Engine& engine, Executor& background) {
  return {.file_system = &PosixFileSystem(),
          .background = &background,
          .clock = &SystemClock(),
          .memtable_bytes = engine.memtable_bytes,
          .block_bytes = static_cast<uint32_t>(engine.block_bytes),
          .table_bytes = engine.table_bytes,
          .bloom_bits_per_key = static_cast<int>(engine.bloom_bits_per_key),
          .zstd_level = static_cast<int>(engine.zstd_level),
          .block_cache_bytes = engine.block_cache_bytes};
}

}  // namespace tinykv
