// DBImpl's write path: group commit, and the change to a new memtable and log.
#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "lsm/db/db_impl.h"

namespace tinykv::lsm {
namespace {

// A buffer that grew beyond this for one large group is given back.
constexpr size_t kIdleBatchBytesMax = 4 << 20;

absl::Status CheckKey(std::string_view key) {
  if (key.size() <= kKeyBytesMax) return absl::OkStatus();
  return InvalidArgument("a key of ", key.size(), " bytes; the most is ", kKeyBytesMax, ": ",
                         Quote(key));
}

}  // namespace

absl::Status DBImpl::Write(const WriteOptions& options, const WriteBatch& batch) {
  TKV_RETURN_IF_ERROR(CheckBatch(batch));
  WriteQueue::Writer writer{.batch = &batch, .sync = options.sync, .no_wait = options.no_wait};
  if (queue_.Enter(writer)) Lead(writer);
  if (absl::IsUnavailable(writer.status)) AddTo(context_->counters.write_stalls);
  return writer.status;
}

absl::Status DBImpl::SyncLog() {
  // A write of nothing. Older logs were synced when they were finished.
  WriteQueue::Writer writer{.sync = true};
  if (queue_.Enter(writer)) Lead(writer);
  return writer.status;
}

absl::Status DBImpl::Flush() {
  WriteQueue::Writer writer{.alone = true};
  const bool leads = queue_.Enter(writer);
  TKV_CHECK(leads && "nobody leads for a writer that is alone");
  const absl::Status status = MakeRoom({.switch_memtable = true});
  const FileNumber log_number = memtable_->log_number();
  queue_.Leave({&writer}, status);
  TKV_RETURN_IF_ERROR(status);

  MutexLock lock(mutex_);
  WaitWhile([this, log_number]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto state = read_state_.Load();
    return error_.ok() && !state->immutables.empty() &&
           state->immutables.back()->log_number() < log_number;
  });
  return error_;
}

absl::Status DBImpl::CheckBatch(const WriteBatch& batch) const {
  if (batch.size_bytes() > kBatchBytesMax) {
    return InvalidArgument("a batch of ", batch.size_bytes(), " bytes; the most is ",
                           kBatchBytesMax);
  }
  absl::Status status;
  batch.ForEach([this, &status](const WriteBatch::Record& record) {
    if (!status.ok()) return;
    status = CheckColumnFamily(record.column_family);
    if (status.ok()) status = CheckKey(record.key);
    if (status.ok() && record.type == ValueType::kDeleteRange) status = CheckKey(record.value);
  });
  return status;
}

void DBImpl::Lead(WriteQueue::Writer& leader) {
  absl::Status status = MakeRoom({.no_wait = leader.no_wait});
  if (!status.ok()) {
    // The leader's alone: the next one may be willing to wait.
    queue_.Leave({&leader}, status);
    return;
  }
  queue_.FormGroup(leader, &group_);
  status = CommitGroup(leader.sync);
  queue_.Leave(group_, status);
}

absl::Status DBImpl::CommitGroup(bool sync) {
  group_batch_.Clear();
  uint64_t batches = 0;
  uint64_t bytes = 0;
  for (const WriteQueue::Writer* writer : group_) {
    if (writer->batch == nullptr) continue;
    group_batch_.Append(*writer->batch);
    ++batches;
    bytes += writer->batch->size_bytes();
  }
  // Only the leader changes it.
  const SequenceNumber last = last_sequence_.load(std::memory_order_relaxed);
  group_batch_.set_sequence(last + 1);
  if (absl::Status status = AppendToLog(sync); !status.ok()) {
    MutexLock lock(mutex_);
    SetError(status);
    return status;
  }
  memtable_->Add(group_batch_);
  last_sequence_.store(last + group_batch_.count(), std::memory_order_release);
  AddTo(context_->counters.writes, batches);
  AddTo(context_->counters.write_bytes, bytes);
  if (group_batch_.size_bytes() > kIdleBatchBytesMax) group_batch_ = WriteBatch();
  return absl::OkStatus();
}

absl::Status DBImpl::AppendToLog(bool sync) {
  LogWriter& writer = log_->writer;
  if (!group_batch_.empty()) {
    const uint64_t size_before = writer.size();
    // One record for the group, so that a torn log has all of a batch or nothing.
    TKV_RETURN_IF_ERROR(writer.AddRecord(group_batch_.encoded()));
    AddTo(context_->counters.wal_bytes, writer.size() - size_before);
  }
  if (!sync) return absl::OkStatus();
  return CountSync([&writer] { return writer.Sync(); });
}

absl::Status DBImpl::MakeRoom(const RoomRequest& request) {
  MutexLock lock(mutex_);
  bool must_switch = request.switch_memtable && !memtable_->empty();
  bool slowed_down = request.no_wait;  // slowing down is a courtesy that no_wait is spared
  while (true) {
    if (closing_) return FailedPrecondition("the database is closed");
    TKV_RETURN_IF_ERROR(error_);
    if (!must_switch && memtable_->memory_bytes() < context_->options.memtable_bytes) {
      return absl::OkStatus();
    }
    const Pressure pressure = WritePressure();
    if (pressure == Pressure::kStop) {
      if (request.no_wait) return Unavailable("the write would wait for a flush or a compaction");
      AddTo(context_->counters.write_stalls);
      WaitWhileStopped();
    } else if (pressure == Pressure::kSlow && !slowed_down) {
      AddTo(context_->counters.write_stalls);
      slowed_down = true;
      WaitForProgress();
    } else {
      TKV_RETURN_IF_ERROR(SwitchMemTable());
      must_switch = false;
    }
  }
}

DBImpl::Pressure DBImpl::WritePressure() const {
  const Options& options = context_->options;
  const auto state = read_state_.Load();
  size_t level0 = 0;
  for (ColumnFamilyId id = 0; id < state->version->column_families(); ++id) {
    level0 = std::max(level0, state->version->levels(id).front().size());
  }
  if (state->immutables.size() >= static_cast<size_t>(options.immutable_memtables_max) ||
      level0 >= static_cast<size_t>(options.l0_stop_tables)) {
    return Pressure::kStop;
  }
  return level0 >= static_cast<size_t>(options.l0_slowdown_tables) ? Pressure::kSlow
                                                                   : Pressure::kNone;
}

void DBImpl::WaitWhileStopped() {
  queue_.SetStalled(true);
  WaitWhile([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return error_.ok() && !closing_ && WritePressure() == Pressure::kStop;
  });
  queue_.SetStalled(false);
}

// Without a clock, writers are slowed to the pace of the work that they wait for: a full memtable
// waits until one more table has been compacted.
void DBImpl::WaitForProgress() {
  queue_.SetStalled(true);
  const uint64_t before = progress_;
  WaitWhile([this, before]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return error_.ok() && !closing_ && progress_ == before && compaction_scheduled_ &&
           WritePressure() == Pressure::kSlow;
  });
  queue_.SetStalled(false);
}

absl::Status DBImpl::SwitchMemTable() {
  std::unique_ptr<WriteAheadLog> next;
  mutex_.Unlock();
  absl::Status status = StartNewLog(&next);
  mutex_.Lock();
  if (!status.ok()) {
    SetError(status);
    return status;
  }
  log_ = std::move(next);
  const auto before = read_state_.Load();
  ReadState state = *before;
  state.immutables.insert(state.immutables.begin(), memtable_);
  memtable_ = std::make_shared<MemTable>(memtable_->column_families(), log_->number);
  state.memtable = memtable_;
  const auto replaced = Publish(std::move(state));
  ScheduleWork();
  return absl::OkStatus();
}

// The old log is durable to its last byte before the new one exists. So whatever power loss takes
// from the newest log, it takes nothing that is older than what it leaves.
absl::Status DBImpl::StartNewLog(std::unique_ptr<WriteAheadLog>* next) {
  TKV_RETURN_IF_ERROR(CountSync([this] { return log_->writer.Finish(); }));
  TKV_RETURN_IF_ERROR(log_->file->Close());
  TKV_ASSIGN_OR_RETURN(*next, WriteAheadLog::Create(context_->file_system(), context_->directory,
                                                    context_->NewFileNumber()));
  return absl::OkStatus();
}

absl::Status DBImpl::CountSync(absl::FunctionRef<absl::Status()> sync) {
  const Clock* clock = context_->options.clock;
  const Duration start = clock != nullptr ? clock->Now() : Duration::zero();
  TKV_RETURN_IF_ERROR(sync());
  Counters& counters = context_->counters;
  AddTo(counters.wal_syncs);
  if (clock == nullptr) return absl::OkStatus();
  const auto nanoseconds = static_cast<uint64_t>((clock->Now() - start).count());
  AddTo(counters.wal_sync_nanoseconds, nanoseconds);
  // Only the leader of the write queue comes here, so nobody else stores between these two.
  if (nanoseconds > counters.wal_sync_nanoseconds_max.load(std::memory_order_relaxed)) {
    counters.wal_sync_nanoseconds_max.store(nanoseconds, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

}  // namespace tinykv::lsm
