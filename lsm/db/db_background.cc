// DBImpl's background work: flushes, compactions, and the change to a new version.
#include <algorithm>
#include <utility>

#include "common/status.h"
#include "lsm/db/compaction_job.h"
#include "lsm/db/db_impl.h"
#include "lsm/db/flush_job.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {

absl::Status DBImpl::CompactAll(ColumnFamilyId column_family) {
  TKV_RETURN_IF_ERROR(CheckColumnFamily(column_family));
  TKV_RETURN_IF_ERROR(Flush());
  auto request = std::make_shared<WholeCompaction>();
  request->column_family = column_family;
  MutexLock lock(mutex_);
  whole_compactions_.push_back(request);
  ScheduleWork();
  WaitWhile([this, &request]()
                ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return error_.ok() && !request->done; });
  return error_;
}

void DBImpl::ScheduleWork() {
  if (closing_ || !error_.ok()) return;
  Executor& background = *context_->options.background;
  if (!flush_scheduled_ && !read_state_.Load()->immutables.empty()) {
    flush_scheduled_ = true;
    background.Post([this] { FlushTask(); });
  }
  if (!compaction_scheduled_ && (!whole_compactions_.empty() || MostUrgent())) {
    compaction_scheduled_ = true;
    background.Post([this] { CompactionTask(); });
  }
}

void DBImpl::FlushTask() {
  const absl::Status status = FlushOldestMemTable();
  MutexLock lock(mutex_);
  SetError(status);
  flush_scheduled_ = false;
  ScheduleWork();
  // Under the lock: once it is released, Close() may return, and the DB be gone.
  background_changed_.NotifyAll();
}

absl::Status DBImpl::FlushOldestMemTable() {
  std::shared_ptr<const MemTable> memtable;
  {
    MutexLock lock(mutex_);
    if (closing_ || !error_.ok()) return absl::OkStatus();
    memtable = read_state_.Load()->immutables.back();
  }
  TKV_ASSIGN_OR_RETURN(const FlushResult flushed,
                       FlushMemTable(*context_, *memtable, snapshots_.Sequences()));
  TKV_RETURN_IF_ERROR(Install(flushed.edit, flushed.tables, memtable.get()));
  // Nobody needs the log once the edit is durable. A leftover is removed by the next Open().
  context_->file_system()
      .Remove(LogPath(context_->directory, memtable->log_number()))
      .IgnoreError();
  return absl::OkStatus();
}

void DBImpl::CompactionTask() {
  CompactionWork work;
  {
    MutexLock lock(mutex_);
    work = NextCompaction();
  }
  absl::Status status;
  if (work.compaction) status = Compact(work);
  // Lets go of the old tables before anybody is told that the compaction is over.
  const std::shared_ptr<WholeCompaction> whole = std::move(work.whole);
  work = {};

  MutexLock lock(mutex_);
  SetError(status);
  if (whole != nullptr) whole->done = true;
  compaction_scheduled_ = false;
  ++progress_;
  ScheduleWork();
  background_changed_.NotifyAll();
}

DBImpl::CompactionWork DBImpl::NextCompaction() {
  CompactionWork work;
  if (closing_ || !error_.ok()) return work;
  work.state = read_state_.Load();
  const Version& version = *work.state->version;
  if (!whole_compactions_.empty()) {
    work.whole = std::move(whole_compactions_.front());
    whole_compactions_.pop_front();
    work.column_family = work.whole->column_family;
    work.compaction = PickWholeCompaction(version.levels(work.column_family));
  } else if (const auto urgent = MostUrgent()) {
    work.column_family = *urgent;
    work.compaction = PickCompaction(context_->options, version.levels(work.column_family),
                                     cursors_[work.column_family]);
  }
  return work;
}

std::optional<ColumnFamilyId> DBImpl::MostUrgent() const {
  const auto state = read_state_.Load();
  std::optional<ColumnFamilyId> result;
  double highest = 1;  // what is below is not due
  for (ColumnFamilyId id = 0; id < state->version->column_families(); ++id) {
    const double score = CompactionScore(context_->options, state->version->levels(id));
    if (score >= highest && (!result || score > highest)) {
      result = id;
      highest = score;
    }
  }
  return result;
}

absl::Status DBImpl::Compact(const CompactionWork& work) {
  const Compaction& compaction = *work.compaction;
  TableList outputs;
  if (compaction.trivial_move) {
    outputs = compaction.inputs.front().tables;
  } else {
    TKV_ASSIGN_OR_RETURN(
        outputs,
        RunCompaction(*context_, {.compaction = compaction,
                                  .levels = work.state->version->levels(work.column_family),
                                  .snapshots = snapshots_.Sequences(),
                                  .cancelled = [this] { return Closing(); },
                                  .table_written = [this] { ReportProgress(); }}));
  }
  TKV_RETURN_IF_ERROR(Install(EditOf(work.column_family, compaction, outputs), outputs, nullptr));
  AddTo(context_->counters.compactions);
  if (!compaction.trivial_move) {
    for (const Compaction::Input& input : compaction.inputs) {
      for (const auto& table : input.tables) table->MarkObsolete();
    }
  }
  const Compaction::Input& from = compaction.inputs.front();
  MutexLock lock(mutex_);
  if (!compaction.trivial_move) {
    for (const Compaction::Input& input : compaction.inputs) obsolete_tables_.Add(input.tables);
  }
  cursors_[work.column_family][from.level] = from.tables.back()->meta().largest;
  return absl::OkStatus();
}

// The version is replaced by one that differs by the edit from the *current* one, not from the one
// with which a compaction started: flushes have added tables meanwhile.
absl::Status DBImpl::Install(VersionEdit edit, const TableList& opened, const MemTable* flushed) {
  std::shared_ptr<const ReadState> before;  // dropped last, when the locks are free
  MutexLock install(install_mutex_);
  if (manifest_->edit_bytes() > context_->options.manifest_bytes_max) {
    TKV_RETURN_IF_ERROR(manifest_->Rewrite(context_->NewFileNumber()));
  }
  edit.next_file_number = context_->next_file_number.load();
  TKV_RETURN_IF_ERROR(manifest_->Append(edit));

  // Durable: now in memory. Only installs replace the version, and this is the only one.
  auto version = read_state_.Load()->version->Apply(edit, opened);
  MutexLock lock(mutex_);
  ReadState state = *read_state_.Load();
  state.version = std::move(version);
  std::erase_if(state.immutables,
                [flushed](const auto& memtable) { return memtable.get() == flushed; });
  // Only an ingestion brings sequence numbers that no write has had.
  if (edit.last_sequence && *edit.last_sequence > last_sequence_.load(std::memory_order_relaxed)) {
    PublishIngestion(std::move(state), *edit.last_sequence, &before);
  } else {
    before = Publish(std::move(state));
  }
  return absl::OkStatus();
}

std::shared_ptr<const ReadState> DBImpl::Publish(ReadState state) {
  return read_state_.Exchange(std::make_shared<const ReadState>(std::move(state)));
}

void DBImpl::ReportProgress() {
  MutexLock lock(mutex_);
  ++progress_;
  background_changed_.NotifyAll();
}

bool DBImpl::Closing() {
  MutexLock lock(mutex_);
  return closing_;
}

void DBImpl::SetError(const absl::Status& status) {
  if (error_.ok() && !absl::IsAborted(status)) error_ = status;
}

}  // namespace tinykv::lsm
