#include "lsm/db/db_impl.h"

#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "lsm/db/db_iterator.h"
#include "lsm/table/merging_iterator.h"

namespace tinykv::lsm {
namespace {

absl::Status Closed() { return FailedPrecondition("the database is closed"); }

}  // namespace

DBImpl::DBImpl(std::unique_ptr<FileLock> file_lock, std::unique_ptr<Context> context,
               Recovered recovered)
    : file_lock_(std::move(file_lock)),
      context_(std::move(context)),
      log_(std::move(recovered.log)),
      last_sequence_(recovered.last_sequence),
      manifest_(std::move(recovered.manifest)) {
  const size_t column_families = context_->options.column_families.size();
  memtable_ = std::make_shared<MemTable>(column_families, log_->number);
  MutexLock lock(mutex_);
  cursors_.assign(column_families, CompactionCursors(context_->options.levels));
  const auto before = Publish({memtable_, {}, std::move(recovered.version)});
  ScheduleWork();
}

DBImpl::~DBImpl() { Close().IgnoreError(); }

absl::Status DBImpl::Close() {
  std::shared_ptr<const ReadState> state;
  absl::Status error;
  {
    MutexLock lock(mutex_);
    if (closing_) return Closed();
    closing_ = true;
    WaitWhile([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return flush_scheduled_ || compaction_scheduled_;
    });
    state = read_state_.Exchange(nullptr);
    error = error_;
  }
  // Also after an error: it may have hit a compaction only, and then the log is as good as ever.
  const absl::Status finished = FinishLog(/*tell_last_sequence=*/error.ok());
  absl::Status recorded;
  {
    MutexLock install(install_mutex_);
    // A manifest without this says that the database crashed, which is as good as true.
    if (finished.ok()) recorded = manifest_->Close(log_->number);
    manifest_.reset();
  }
  log_.reset();
  file_lock_.reset();
  TKV_RETURN_IF_ERROR(error);
  TKV_RETURN_IF_ERROR(finished);
  return recorded;
}

// A batch without records says where sequence numbers have come to. Without it, the edit of an
// ingestion could be lost from the end of the manifest, and nothing behind it would show the gap.
// After an error it is not known whether that edit is there.
absl::Status DBImpl::FinishLog(bool tell_last_sequence) {
  const SequenceNumber last = last_sequence_.load(std::memory_order_relaxed);
  if (tell_last_sequence && last > 0) {
    WriteBatch end;
    end.set_sequence(last + 1);
    TKV_RETURN_IF_ERROR(log_->writer.AddRecord(end.encoded()));
  }
  return log_->writer.Finish();
}

SequenceNumber DBImpl::ReadSequence(const ReadOptions& options) const {
  return options.snapshot != nullptr ? options.snapshot->sequence()
                                     : last_sequence_.load(std::memory_order_acquire);
}

absl::Status DBImpl::CheckColumnFamily(ColumnFamilyId column_family) const {
  const size_t count = context_->options.column_families.size();
  if (column_family < count) return absl::OkStatus();
  return InvalidArgument("column family ", column_family, " is unknown: there are ", count);
}

absl::StatusOr<std::optional<std::string>> DBImpl::Get(const ReadOptions& options,
                                                       ColumnFamilyId column_family,
                                                       std::string_view key) {
  TKV_RETURN_IF_ERROR(CheckColumnFamily(column_family));
  const std::shared_ptr<const ReadState> state = read_state_.Load();
  if (state == nullptr) return Closed();
  const LookupKey lookup(key, ReadSequence(options));

  // From new to old: the first version found is the newest.
  LookupResult result;
  state->memtable->Get(column_family, lookup, &result);
  for (const auto& memtable : state->immutables) {
    if (result.kind != LookupResult::Kind::kAbsent) break;
    memtable->Get(column_family, lookup, &result);
  }
  if (result.kind == LookupResult::Kind::kAbsent) {
    uint64_t filter_skips = 0;
    const absl::Status status =
        state->version->Get(column_family, lookup, options.fill_cache, &result, &filter_skips);
    if (filter_skips > 0) AddTo(context_->counters.bloom_filter_skips, filter_skips);
    TKV_RETURN_IF_ERROR(status);
  }
  if (result.kind != LookupResult::Kind::kFound) return std::nullopt;
  return std::move(result.value);
}

std::unique_ptr<Iterator> DBImpl::NewIterator(const ReadOptions& options,
                                              ColumnFamilyId column_family) {
  if (absl::Status status = CheckColumnFamily(column_family); !status.ok()) {
    return NewEmptyIterator(std::move(status));
  }
  std::shared_ptr<const ReadState> state = read_state_.Load();
  if (state == nullptr) return NewEmptyIterator(Closed());
  const SequenceNumber sequence = ReadSequence(options);

  std::vector<std::unique_ptr<Iterator>> iterators;
  TombstoneCursor::Lists tombstones;
  const auto add_tombstones = [&](const MemTable& memtable) {
    if (auto list = memtable.Tombstones(column_family)) tombstones.push_back(std::move(list));
  };
  iterators.push_back(state->memtable->NewIterator(column_family));
  add_tombstones(*state->memtable);
  for (const auto& memtable : state->immutables) {
    if (!memtable->empty(column_family)) iterators.push_back(memtable->NewIterator(column_family));
    add_tombstones(*memtable);
  }
  const KeyRange range = {options.lower_bound, options.upper_bound};
  state->version->AddIterators(column_family, range, options.fill_cache, &iterators);
  state->version->AddTombstones(column_family, range, &tombstones);
  return NewDBIterator(NewMergingIterator(std::move(iterators)),
                       {.sequence = sequence,
                        .lower_bound = options.lower_bound,
                        .upper_bound = options.upper_bound,
                        .tombstones = std::move(tombstones),
                        .pinned = std::move(state)});
}

std::unique_ptr<const Snapshot> DBImpl::NewSnapshot() { return snapshots_.Create(last_sequence_); }

Statistics DBImpl::GetStatistics() {
  Statistics result;
  if (const auto state = read_state_.Load()) {
    for (ColumnFamilyId id = 0; id < state->version->column_families(); ++id) {
      auto& levels = result.levels.emplace_back();
      for (const TableList& tables : state->version->levels(id)) {
        levels.push_back({static_cast<int>(tables.size()), TotalBytes(tables)});
      }
      result.pending_compaction_bytes +=
          PendingCompactionBytes(context_->options, state->version->levels(id));
    }
    result.memtable_bytes = state->memtable->memory_bytes();
    for (const auto& memtable : state->immutables) {
      result.memtable_bytes += memtable->memory_bytes();
    }
    result.immutable_memtables = state->immutables.size();
  }
  const Counters& counters = context_->counters;
  result.live_snapshots = snapshots_.size();
  result.block_cache_bytes = context_->block_cache.size_bytes();
  result.block_cache_hits = context_->block_cache.hits();
  result.block_cache_misses = context_->block_cache.misses();
  result.bloom_filter_skips = counters.bloom_filter_skips.load();
  result.writes = counters.writes.load();
  result.write_bytes = counters.write_bytes.load();
  result.wal_bytes = counters.wal_bytes.load();
  result.wal_syncs = counters.wal_syncs.load();
  result.wal_sync_time = Duration(counters.wal_sync_nanoseconds.load());
  result.wal_sync_time_max = Duration(counters.wal_sync_nanoseconds_max.load());
  result.flushes = counters.flushes.load();
  result.flush_bytes = counters.flush_bytes.load();
  result.compactions = counters.compactions.load();
  result.compaction_bytes_read = counters.compaction_bytes_read.load();
  result.compaction_bytes_written = counters.compaction_bytes_written.load();
  result.write_stalls = counters.write_stalls.load();

  MutexLock lock(mutex_);
  const ObsoleteTables::Sum obsolete = obsolete_tables_.InUse();
  result.obsolete_tables = obsolete.tables;
  result.obsolete_table_bytes = obsolete.bytes;
  result.writes_stalled = !closing_ && WritePressure() == Pressure::kStop;
  result.write_error = error_;
  return result;
}

}  // namespace tinykv::lsm
