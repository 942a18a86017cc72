// DBImpl: the engine behind DB.
//
// Three kinds of threads meet here:
//   - readers take a ReadState and a sequence number and need nothing else;
//   - the leader of the write queue alone writes to log_ and memtable_, and replaces both when the
//     memtable is full (db_write.cc), or an ingestion is made (db_ingest.cc);
//   - at most one flush task and one compaction task run on options.background (db_background.cc).
// Where they get in each other's way is guarded by mutex_, which is never held during file
// operations.
//
// Readers and sequence numbers. A write becomes visible when last_sequence_ reaches it, which the
// leader does after all of its group is in the memtable: nobody sees half a batch. A reader without
// a snapshot loads the ReadState first and last_sequence_ second. The other way round, a flush
// between the two could drop a version that the older number still needs.
//
// Errors. The first failed write to the log, and the first failed flush, compaction or manifest
// write, stays in error_ until the DB is opened again: writes, Flush(), CompactAll(), Checkpoint()
// and SyncLog() return it, background work stops, reads go on.
//
// Lock order: install_mutex_, mutex_, then the locks inside members.
//
// Thread-safety: safe.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/mutex.h"
#include "lsm/db.h"
#include "lsm/db/context.h"
#include "lsm/db/ingest_job.h"
#include "lsm/db/obsolete_tables.h"
#include "lsm/db/read_state.h"
#include "lsm/db/recovery.h"
#include "lsm/db/snapshot_list.h"
#include "lsm/db/write_ahead_log.h"
#include "lsm/db/write_queue.h"
#include "lsm/memtable/memtable.h"
#include "lsm/version/compaction_picker.h"
#include "lsm/version/manifest.h"

namespace tinykv::lsm {

class DBImpl final : public DB {
 public:
  DBImpl(std::unique_ptr<FileLock> file_lock, std::unique_ptr<Context> context,
         Recovered recovered);
  ~DBImpl() override;

  DBImpl(const DBImpl&) = delete;
  DBImpl& operator=(const DBImpl&) = delete;

  absl::Status Close() override;
  absl::Status Write(const WriteOptions& options, const WriteBatch& batch) override;
  absl::StatusOr<std::optional<std::string>> Get(const ReadOptions& options,
                                                 ColumnFamilyId column_family,
                                                 std::string_view key) override;
  std::unique_ptr<Iterator> NewIterator(const ReadOptions& options,
                                        ColumnFamilyId column_family) override;
  std::unique_ptr<const Snapshot> NewSnapshot() override;
  absl::Status Flush() override;
  absl::Status CompactAll(ColumnFamilyId column_family) override;
  absl::Status SyncLog() override;
  absl::Status Checkpoint(const std::string& directory) override;
  absl::StatusOr<uint64_t> ApproximateSize(ColumnFamilyId column_family,
                                           const KeyRange& range) override;
  absl::StatusOr<std::optional<std::string>> MiddleKey(ColumnFamilyId column_family,
                                                       const KeyRange& range) override;
  absl::Status Ingest(Ingestion ingestion) override;
  Statistics GetStatistics() override;

 private:
  // A call of CompactAll() that waits for its turn.
  struct WholeCompaction {
    ColumnFamilyId column_family = 0;
    bool done = false;
  };

  // What a compaction task does.
  struct CompactionWork {
    std::shared_ptr<const ReadState> state;  // from which it was picked; keeps its tables
    ColumnFamilyId column_family = 0;
    std::optional<Compaction> compaction;    // nothing: there is nothing to do
    std::shared_ptr<WholeCompaction> whole;  // who asked for it; null if it was due
  };

  struct RoomRequest {
    bool no_wait = false;
    bool switch_memtable = false;  // even if it is not full
  };

  enum class Pressure { kNone, kSlow, kStop };

  // Of Close().
  absl::Status FinishLog(bool tell_last_sequence);

  // Of readers.
  SequenceNumber ReadSequence(const ReadOptions& options) const;
  absl::Status CheckColumnFamily(ColumnFamilyId column_family) const;

  // Of writers and the leader (db_write.cc).
  absl::Status CheckBatch(const WriteBatch& batch) const;
  // What the leader does: writes for all of its group.
  void Lead(WriteQueue::Writer& leader);
  absl::Status CommitGroup(bool sync);
  absl::Status AppendToLog(bool sync);
  // Waits, and replaces the memtable, until there is room for a write.
  absl::Status MakeRoom(const RoomRequest& request) ABSL_LOCKS_EXCLUDED(mutex_);
  // How much flushes and compactions lag behind.
  Pressure WritePressure() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitWhileStopped() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitForProgress() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SwitchMemTable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status StartNewLog(std::unique_ptr<WriteAheadLog>* next);
  // Calls `sync`, which syncs the log, and counts it and its time if it returns OK.
  absl::Status CountSync(absl::FunctionRef<absl::Status()> sync);

  // Of ingestions (db_ingest.cc). All but the first are for the leader of the write queue.
  absl::Status CheckIngestion(const Ingestion& ingestion) const;
  // Waits until only the newest memtable is left, and level 0 has room.
  absl::Status WaitUntilAllIsInTables() ABSL_LOCKS_EXCLUDED(mutex_);
  // REQUIRES: all that was written is in tables.
  absl::Status InstallIngestion(const Ingestion& ingestion, const std::vector<CheckedFile>& files)
      ABSL_LOCKS_EXCLUDED(install_mutex_, mutex_);
  // For Install(): `state`, with the tables of an ingestion, becomes the current one, and what they
  // hold, up to `last_sequence`, becomes visible.
  void PublishIngestion(ReadState state, SequenceNumber last_sequence,
                        std::shared_ptr<const ReadState>* before)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Of background work (db_background.cc).
  void ScheduleWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FlushTask();
  absl::Status FlushOldestMemTable();
  void CompactionTask();
  CompactionWork NextCompaction() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The column family whose compaction is most urgent; nothing if none is due.
  std::optional<ColumnFamilyId> MostUrgent() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Compact(const CompactionWork& work);
  // Makes `edit` durable, then visible; `flushed`, unless null, leaves the immutable memtables at
  // the same moment. `opened` are the tables that the edit adds.
  absl::Status Install(VersionEdit edit, const TableList& opened, const MemTable* flushed)
      ABSL_LOCKS_EXCLUDED(install_mutex_, mutex_);
  // Returns the state before, to be dropped when no lock is held.
  [[nodiscard]] std::shared_ptr<const ReadState> Publish(ReadState state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReportProgress() ABSL_LOCKS_EXCLUDED(mutex_);
  bool Closing() ABSL_LOCKS_EXCLUDED(mutex_);
  // Keeps `status` if it is the first error. kAborted is none: it is the answer to Close().
  void SetError(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Sleeps while must_wait() holds. Where background work has no thread of its own (a simulation),
  // runs it here. `must_wait` is called with mutex_ held.
  template <typename Predicate>
  void WaitWhile(Predicate must_wait) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (must_wait()) {
      mutex_.Unlock();
      const bool ran = context_->options.background->RunOne();
      mutex_.Lock();
      // Asked again, since what is waited for may have come while the lock was free.
      if (!ran && must_wait()) background_changed_.Wait(mutex_);
    }
  }

  std::unique_ptr<FileLock> file_lock_;
  const std::unique_ptr<Context> context_;  // before everything that holds tables

  SnapshotList snapshots_;
  WriteQueue queue_;

  // The leader's own. memtable_ is the same as read_state_'s.
  std::shared_ptr<MemTable> memtable_;
  std::unique_ptr<WriteAheadLog> log_;
  std::vector<WriteQueue::Writer*> group_;
  WriteBatch group_batch_;

  std::atomic<SequenceNumber> last_sequence_;  // of the newest visible write
  ReadStateHolder read_state_;                 // replaced with mutex_ held; null once closed

  Mutex install_mutex_;  // one change of the version at a time
  std::unique_ptr<Manifest> manifest_ ABSL_GUARDED_BY(install_mutex_);

  mutable Mutex mutex_;
  CondVar background_changed_;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool flush_scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  bool compaction_scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t progress_ ABSL_GUARDED_BY(mutex_) = 0;  // grows with each table or task finished
  std::vector<CompactionCursors> cursors_ ABSL_GUARDED_BY(mutex_);  // by column family
  std::deque<std::shared_ptr<WholeCompaction>> whole_compactions_ ABSL_GUARDED_BY(mutex_);
  ObsoleteTables obsolete_tables_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv::lsm
