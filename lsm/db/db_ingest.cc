// DBImpl's ingestion: tables from outside, ranges that are cleared and a batch, as one change.
//
// Order and sequence numbers. The ingestion takes the front of the write queue and stays there, so
// no writer is in between. All that was written before is in tables then: what is still in a
// memtable would be found before the new tables are looked at. Logs know nothing of an ingestion.
// As the newest one is empty at that moment, its first batch will follow the last sequence number
// that the edit tells, and there is no gap (docs/formats/manifest.md).
#include <optional>
#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "lsm/db/db_impl.h"
#include "lsm/db/ingest_job.h"

namespace tinykv::lsm {

absl::Status DBImpl::Ingest(Ingestion ingestion) {
  TKV_RETURN_IF_ERROR(CheckIngestion(ingestion));
  std::vector<CheckedFile> files;
  for (const Ingestion::File& file : ingestion.files) {
    TKV_ASSIGN_OR_RETURN(CheckedFile checked, CheckFile(context_->file_system(), file));
    files.push_back(std::move(checked));
  }
  // Most of the memtable goes while writers may go on; those that are at the front of the queue
  // then leave little.
  TKV_RETURN_IF_ERROR(Flush());

  WriteQueue::Writer writer{.alone = true};
  const bool leads = queue_.Enter(writer);
  TKV_CHECK(leads && "nobody leads for a writer that is alone");
  absl::Status status = MakeRoom({.switch_memtable = true});
  if (status.ok()) status = WaitUntilAllIsInTables();
  if (status.ok()) status = InstallIngestion(ingestion, files);
  queue_.Leave({&writer}, status);
  return status;
}

absl::Status DBImpl::CheckIngestion(const Ingestion& ingestion) const {
  WriteBatch cleared;
  for (const Ingestion::Range& range : ingestion.cleared) {
    cleared.DeleteRange(range.column_family, range.begin, range.end);
  }
  TKV_RETURN_IF_ERROR(CheckBatch(cleared));
  TKV_RETURN_IF_ERROR(CheckBatch(ingestion.batch));
  for (const Ingestion::File& file : ingestion.files) {
    TKV_RETURN_IF_ERROR(CheckColumnFamily(file.column_family));
  }
  return absl::OkStatus();
}

absl::Status DBImpl::WaitUntilAllIsInTables() {
  MutexLock lock(mutex_);
  queue_.SetStalled(true);
  WaitWhile([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool flushed = read_state_.Load()->immutables.empty();
    return error_.ok() && (!flushed || WritePressure() == Pressure::kStop);
  });
  queue_.SetStalled(false);
  return error_;
}

absl::Status DBImpl::InstallIngestion(const Ingestion& ingestion,
                                      const std::vector<CheckedFile>& files) {
  TKV_CHECK(memtable_->empty());
  // Until here nothing has changed, and an error is the caller's alone. From Install() on it is
  // everybody's: nobody knows what the next start will find.
  TKV_ASSIGN_OR_RETURN(const FlushResult made,
                       MakeIngestedTables(*context_, {.ingestion = ingestion,
                                                      .files = files,
                                                      .last_sequence = last_sequence_.load()}));
  const absl::Status status = Install(made.edit, made.tables, nullptr);
  MutexLock lock(mutex_);
  SetError(status);
  ScheduleWork();
  return status;
}

// A reader takes the read state first and a sequence number second. One with the state of before
// must not see what is written after the ingestion without seeing the ingestion: so its memtable
// gets no more writes. The new one has the same log, since neither holds anything.
//
// The number is raised under the same lock: a compaction, which takes its tables under it, must not
// start between the two, or a snapshot of before, taken after the compaction asked for snapshots,
// would miss what the compaction drops.
void DBImpl::PublishIngestion(ReadState state, SequenceNumber last_sequence,
                              std::shared_ptr<const ReadState>* before) {
  memtable_ = std::make_shared<MemTable>(memtable_->column_families(), memtable_->log_number());
  state.memtable = memtable_;
  *before = Publish(std::move(state));
  last_sequence_.store(last_sequence, std::memory_order_release);
}

}  // namespace tinykv::lsm
