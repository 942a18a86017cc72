// Options of the engine, of a read and of a write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/file_system.h"

namespace tinykv::lsm {

class Snapshot;

struct Options {
  // The doors to the world; both must be set and outlive the DB. Flushes and compactions run on
  // `background`: give it two threads, so that a flush need not wait for a compaction. Close()
  // waits for what was posted there, and a cooperative executor may run any of its tasks inside a
  // write: so it must not drop tasks before, and none of them may call the DB.
  FileSystem* file_system = nullptr;
  Executor* background = nullptr;
  // For the times in Statistics, and nothing else; null means that they are zero. Must outlive the
  // DB.
  Clock* clock = nullptr;

  // Names of the column families; ColumnFamilyId is the place in this list. A name that the
  // database does not have is created. Errors of Open(): kInvalidArgument if the database has one
  // that is not listed.
  std::vector<std::string> column_families = {"default"};

  // Errors of Open(): kNotFound if the database is not there and may not be created.
  bool create_if_missing = true;

  // Memtables of all column families together are flushed when they hold this much.
  uint64_t memtable_bytes = 64 << 20;
  // Full memtables that may wait for their flush before writers wait.
  int immutable_memtables_max = 2;

  // Sorted tables: aim of one data block before compression, and of one file made by a compaction.
  uint32_t block_bytes = 16 << 10;
  uint64_t table_bytes = 32 << 20;
  int bloom_bits_per_key = 10;  // 0: no Bloom filters
  int zstd_level = 1;           // 0: blocks are stored uncompressed

  // Uncompressed blocks kept in memory, over all tables.
  uint64_t block_cache_bytes = 128 << 20;

  // Leveled compaction. L0 is compacted at `l0_compact_tables` tables; writers are slowed at
  // `l0_slowdown_tables` and wait at `l0_stop_tables`. L1 aims at `level_bytes_base`, each deeper
  // level at `level_multiplier` times the one above.
  int l0_compact_tables = 4;
  int l0_slowdown_tables = 20;
  int l0_stop_tables = 36;
  uint64_t level_bytes_base = 256 << 20;
  int level_multiplier = 10;
  int levels = 7;

  // A manifest that has gained this much since its snapshot is replaced by one with a new snapshot.
  uint64_t manifest_bytes_max = 64 << 20;
};

struct WriteOptions {
  // True: the write survives power loss once Write() returned OK. False: it survives a crash of the
  // process, and power loss may take it along with everything written after it, but never one
  // without the other (recovery yields a prefix of the writes).
  bool sync = true;
  // True: where the write would have to wait for a flush or compaction, return kUnavailable
  // instead.
  bool no_wait = false;
};

struct ReadOptions {
  // Null: the newest state at the time of the call. Must outlive the call or the iterator.
  const Snapshot* snapshot = nullptr;
  // An iterator sees only keys in [lower_bound, upper_bound); absent means no bound on that side.
  std::optional<std::string> lower_bound = std::nullopt;
  std::optional<std::string> upper_bound = std::nullopt;
  // False for large scans that would drive useful blocks out of the cache.
  bool fill_cache = true;
};

}  // namespace tinykv::lsm
