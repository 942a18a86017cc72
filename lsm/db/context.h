// What the parts of one open database share.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "lsm/options.h"
#include "lsm/table/block_cache.h"

namespace tinykv::lsm {

// The counters of Statistics. Relaxed atomics: each is right by itself, no two belong together.
struct Counters {
  std::atomic<uint64_t> bloom_filter_skips = 0;
  std::atomic<uint64_t> writes = 0;
  std::atomic<uint64_t> write_bytes = 0;
  std::atomic<uint64_t> wal_bytes = 0;
  std::atomic<uint64_t> wal_syncs = 0;
  std::atomic<uint64_t> wal_sync_nanoseconds = 0;
  std::atomic<uint64_t> wal_sync_nanoseconds_max = 0;
  std::atomic<uint64_t> flushes = 0;
  std::atomic<uint64_t> flush_bytes = 0;
  std::atomic<uint64_t> compactions = 0;
  std::atomic<uint64_t> compaction_bytes_read = 0;
  std::atomic<uint64_t> compaction_bytes_written = 0;
  std::atomic<uint64_t> write_stalls = 0;
};

inline void AddTo(std::atomic<uint64_t>& counter, uint64_t amount = 1) {
  counter.fetch_add(amount, std::memory_order_relaxed);
}

// Must outlive every table of the database.
//
// Thread-safety: safe.
struct Context {
  Context(Options database_options, std::string path)
      : options(std::move(database_options)),
        directory(std::move(path)),
        block_cache(options.block_cache_bytes) {}

  FileSystem& file_system() const { return *options.file_system; }

  // A number that no file of the database has had.
  FileNumber NewFileNumber() { return next_file_number.fetch_add(1, std::memory_order_relaxed); }

  const Options options;
  const std::string directory;
  BlockCache block_cache;
  std::atomic<FileNumber> next_file_number = 1;
  Counters counters;
};

}  // namespace tinykv::lsm
