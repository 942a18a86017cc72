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
#include "common/env/clock.h"
#include "lsm/iterator.h"
#include "lsm/key_range.h"
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

// One change of several column families: tables that were made outside of the database, with what
// they replace and what belongs to them. In this order, the later over the earlier:
struct Ingestion {
  // A key range that is emptied, as by WriteBatch::DeleteRange().
  struct Range {
    ColumnFamilyId column_family = 0;
    std::string begin = {};
    std::optional<std::string> end = {};
  };
  // A file that TableWriter finished, on the file system of the database.
  struct File {
    ColumnFamilyId column_family = 0;
    std::string path = {};
  };
  std::vector<Range> cleared = {};
  std::vector<File> files = {};  // where two hold one key, the later file in the list wins
  WriteBatch batch = {};         // a few writes: they become tables, too
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
  // What users wrote, and what that made the engine write: (wal_bytes + flush_bytes +
  // compaction_bytes_written) / write_bytes is the write amplification.
  uint64_t writes = 0;       // batches
  uint64_t write_bytes = 0;  // of batches, encoded
  uint64_t wal_bytes = 0;
  uint64_t wal_syncs = 0;
  Duration wal_sync_time = {};      // of all together; zero without Options::clock
  Duration wal_sync_time_max = {};  // of the longest
  uint64_t flushes = 0;
  uint64_t flush_bytes = 0;
  uint64_t compactions = 0;
  uint64_t compaction_bytes_read = 0;
  uint64_t compaction_bytes_written = 0;
  // A lower bound of what compactions have to move down until none is due. They also rewrite what
  // is in the way.
  uint64_t pending_compaction_bytes = 0;
  // Tables that compactions have replaced, but that iterators or checkpoints still use.
  uint64_t obsolete_tables = 0;
  uint64_t obsolete_table_bytes = 0;
  uint64_t write_stalls = 0;  // writes that had to wait, or were refused with no_wait
  // True if a write that finds the memtable full would have to wait now.
  bool writes_stalled = false;
  // The first error, which every write returns since then; OK if writes are not stopped.
  absl::Status write_error = absl::OkStatus();
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

  // Makes a database in the new folder `directory`, on the same file system, that holds one moment
  // of this one: every write acknowledged before the call, a prefix of the writes made during it,
  // no batch by half. Both go on independently. Tables are shared by hard links, so it costs a
  // flush and a small manifest; writers wait no longer than for a change of the memtable. Once this
  // returned OK the checkpoint survives power loss.
  //
  // The folder is built as `directory`.tmp and renamed at the end. So after an error or a crash
  // `directory` is not there, or it is the whole checkpoint (only its last sync is missing). What
  // is left of `directory`.tmp, a name that belongs to the engine, is removed by the next call with
  // the same `directory`, or by hand.
  // Errors: kInvalidArgument if `directory` is empty or ends in '/'; kAlreadyExists if it is there;
  // kUnavailable if another call builds it, or a database is open in `directory`.tmp;
  // kFailedPrecondition if that holds what no checkpoint put there; the first error of a poisoned
  // engine; those of the file system, which poison the engine only where they hit the flush.
  virtual absl::Status Checkpoint(const std::string& directory) = 0;

  // How many bytes `range` takes: in tables as they are on disk, in memtables those of its keys and
  // values. Deletions and old versions count. Reads nothing from disk, only the indexes of tables,
  // and walks over what memtables hold of the range. Ranges side by side add up.
  // It is off by less than one data block for each table that an end of the range cuts. A table's
  // own index and filter count as if they stood behind its last key.
  // Errors: kInvalidArgument for an unknown column family.
  virtual absl::StatusOr<uint64_t> ApproximateSize(ColumnFamilyId column_family,
                                                   const KeyRange& range) = 0;

  // A user key that cuts `range` into two parts of about equal size: larger than its lower bound
  // (no bound counts as the empty key) and smaller than its upper one; the key itself belongs to
  // the upper part, and need not be there. Nothing if no such key is known, which may also be so
  // where the range is a part of one data block. Costs as ApproximateSize().
  // Let a piece be one data block (in memory, one entry) and a thousandth of the range together:
  // then the lower part differs from half of the range by at most three pieces for each memtable,
  // each table of level 0 and each deeper level, and by the versions of the one key.
  // Errors: as ApproximateSize().
  virtual absl::StatusOr<std::optional<std::string>> MiddleKey(ColumnFamilyId column_family,
                                                               const KeyRange& range) = 0;

  // Makes all of `ingestion` part of the database in one moment. It is a write: it comes after
  // every write that was acknowledged before the call and before every one that starts after it
  // returned, and snapshots and iterators of before do not see it. OK means that it and everything
  // before it is durable. A crash at any time leaves all of it or nothing.
  //
  // Each file gets a second name (a hard link) in the folder of the database; the first one stays
  // as it is, whatever happens, and is the caller's to remove, or to come back with after a crash.
  // The bytes are the database's from then on, under whatever name, and must never change. Mind
  // that FileSystem::Create() empties a file that is there, and that a removed name may be back
  // after power loss: remove a name before using it again, as TableWriter does.
  //
  // Every file is read and checked before writers are stopped. They wait while what they have
  // written since a flush is flushed, and while the manifest is written; with no_wait they are
  // refused where they would have to wait for a flush or a compaction.
  //
  // Errors: kInvalidArgument for an unknown column family, a key or batch over the limits above, a
  // file with keys out of order, or one that is a sorted table but none of TableWriter's;
  // kFailedPrecondition for a file of an unknown format version; kDataLoss for one that is damaged
  // or no sorted table; kNotFound for one that is missing. The message names file and reason. Those
  // of the file system. After all of these nothing has changed, and the call may be repeated.
  // The first error of a poisoned engine; if it is this call that poisons it (writes then return
  // its error), the next Open() finds all of the ingestion or nothing.
  virtual absl::Status Ingest(Ingestion ingestion) = 0;

  virtual Statistics GetStatistics() = 0;
};

}  // namespace tinykv::lsm
