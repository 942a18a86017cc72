// DB: an embedded, ordered, crash-safe key-value store. The engine's front door.
//
//   Options options{.file_system = &PosixFileSystem(), .background = executor.get()};
//   TKV_ASSIGN_OR_RETURN(auto db, DB::Open(options, "data"));
//   WriteBatch batch;
//   batch.Put(0, "key", "value");
//   TKV_RETURN_IF_ERROR(db->Write({.sync = true}, batch));
//
// It is a log-structured merge tree (O'Neil et al., 1996): a write goes to the write-ahead log and
// to a memtable; full memtables become sorted tables of level 0; compactions merge tables into
// deeper levels.
//
// Durability contract:
//   1. A write with sync that returned OK survives power loss.
//   2. Recovery yields a prefix of the writes, in the order of their sequence numbers, that
//      contains every synced one. A batch is there whole or not at all.
//   3. A torn end of the log is cut silently. Damage anywhere else is an error that names file
//      and offset.
//   4. A full disk or a failed sync stops writes, with the first error, until the DB is opened
//      again; reads go on.
//
// Keys and values are arbitrary bytes; the empty key is a key. Keys are ordered as unsigned bytes.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lsm/iterator.h"
#include "lsm/options.h"
#include "lsm/write_batch.h"

namespace tinykv::lsm {

inline constexpr size_t kKeyBytesMax = 64 << 10;
inline constexpr size_t kBatchBytesMax = 256 << 20;

// A moment of the database. Versions that a live snapshot sees are not dropped by compactions, so
// an old one costs disk space. Must be destroyed before its DB.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual SequenceNumber sequence() const = 0;
};

struct LevelStatistics {
  int tables = 0;
  uint64_t bytes = 0;
};

// Counters run from Open(); the others are of this moment.
struct Statistics {
  std::vector<std::vector<LevelStatistics>> levels;  // [column family][level]
  uint64_t memtable_bytes = 0;
  uint64_t immutable_memtables = 0;
  uint64_t live_snapshots = 0;
  uint64_t block_cache_bytes = 0;
  uint64_t block_cache_hits = 0;
  uint64_t block_cache_misses = 0;
  uint64_t bloom_filter_skips = 0;  // table reads that a filter saved
  uint64_t writes = 0;              // batches
  uint64_t wal_bytes = 0;
  uint64_t wal_syncs = 0;
  uint64_t flushes = 0;
  uint64_t flush_bytes = 0;
  uint64_t compactions = 0;
  uint64_t compaction_bytes_read = 0;
  uint64_t compaction_bytes_written = 0;
  uint64_t write_stalls = 0;  // writes that had to wait, or were refused with no_wait
};

class DB {
 public:
  // Opens the database in folder `path`, or creates it.
  // Errors: kUnavailable if it is open elsewhere; kDataLoss for damage (nothing is changed then);
  // kFailedPrecondition for a format version this build does not know; those named in options.h.
  static absl::StatusOr<std::unique_ptr<DB>> Open(const Options& options, const std::string& path);

  virtual ~DB() = default;

  // Stops background work, syncs the log and releases the folder's lock; every other call returns
  // kFailedPrecondition afterwards. The destructor calls it, and then its error is lost.
  // REQUIRES: no call is running, and no iterator or snapshot is left.
  virtual absl::Status Close() = 0;

  // Errors: kInvalidArgument for an unknown column family, a key or batch over the limits above
  // (nothing is written); kUnavailable with no_wait; the first error of a poisoned engine.
  virtual absl::Status Write(const WriteOptions& options, const WriteBatch& batch) = 0;

  // The value of `key`, or nullopt if there is none.
  virtual absl::StatusOr<std::optional<std::string>> Get(const ReadOptions& options,
                                                         ColumnFamilyId column_family,
                                                         std::string_view key) = 0;

  // Never null; trouble shows in its status(). Must be destroyed before the DB.
  virtual std::unique_ptr<Iterator> NewIterator(const ReadOptions& options,
                                                ColumnFamilyId column_family) = 0;

  virtual std::unique_ptr<const Snapshot> NewSnapshot() = 0;

  // Makes everything written so far part of sorted tables. An empty memtable is no work.
  virtual absl::Status Flush() = 0;

  // Flushes, then merges every table of the column family down to one level. Deletions and versions
  // that no snapshot sees are gone afterwards.
  virtual absl::Status CompactAll(ColumnFamilyId column_family) = 0;

  // Makes every write so far durable, as if the last one had been synced.
  virtual absl::Status SyncLog() = 0;

  virtual Statistics GetStatistics() = 0;
};

}  // namespace tinykv::lsm
