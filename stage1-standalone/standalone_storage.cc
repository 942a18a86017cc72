#include "stage1-standalone/standalone_storage.h"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/env/coroutine.h"
#include "common/mutex.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/your_code_here.h"
#include "stage1-standalone/engine_access.h"

namespace tinykv {
namespace {

// One batch of the engine grows to about this much before it is written.
constexpr size_t kGroupBytes = 1 << 20;

// Reads of one moment: the snapshot's.
class SnapshotReader : public StorageReader {
 public:
  SnapshotReader(lsm::DB& db, std::unique_ptr<const lsm::Snapshot> snapshot)
      : db_(db), snapshot_(std::move(snapshot)) {}

  absl::StatusOr<std::optional<std::string>> Get(ColumnFamily column_family,
                                                 std::string_view key) override {
    // >>> SOLUTION 1-storage-get: ask the engine, as of the snapshot
    return db_.Get({.snapshot = snapshot_.get()}, EngineId(column_family), key);
    // <<< SOLUTION
  }

  std::unique_ptr<StorageIterator> NewIterator(ColumnFamily column_family,
                                               const IterateOptions& options) override {
    // >>> SOLUTION 1-storage-iterate: an engine iterator within the bounds, as of the snapshot
    const lsm::ReadOptions read{.snapshot = snapshot_.get(),
                                .lower_bound = options.lower_bound,
                                .upper_bound = options.upper_bound};
    return std::make_unique<EngineIterator>(db_.NewIterator(read, EngineId(column_family)));
    // <<< SOLUTION
  }

 private:
  lsm::DB& db_;
  std::unique_ptr<const lsm::Snapshot> snapshot_;
};

}  // namespace

// An actor: its inbox is `waiting_`, its one message handler WriteGroup().
//
// Thread-safety: safe.
class StandaloneStorage::WriteActor {
 public:
  using Answer = absl::AnyInvocable<void(absl::Status)>;

  WriteActor(lsm::DB& db, const StandaloneStorageOptions& options)
      : db_(db),
        executor_(*options.writer),
        sync_(options.sync_writes),
        waiting_bytes_max_(options.waiting_bytes_max) {}

  // Writes `batch` soon and calls `answer` once, on the actor's thread; at once and here if it is
  // refused.
  void Write(lsm::WriteBatch batch, Answer answer) {
    {
      MutexLock lock(mutex_);
      // A write that is larger than the whole queue is taken when it is alone.
      const bool full = waiting_bytes_ + batch.size_bytes() > waiting_bytes_max_;
      if (!full || waiting_.empty()) {
        waiting_bytes_ += batch.size_bytes();
        waiting_.push_back({std::move(batch), std::move(answer)});
        if (!running_) {
          running_ = true;
          executor_.Post([this] { WriteGroup(); });
        }
        return;
      }
    }
    answer(ServerIsBusy(Concat("writes of ", waiting_bytes_max_, " bytes wait for the disk")));
  }

  // Returns when every write has been answered.
  void Drain() {
    MutexLock lock(mutex_);
    while (running_) {
      mutex_.Unlock();
      const bool ran = executor_.RunOne();
      mutex_.Lock();
      if (!ran && running_) idle_.Wait(mutex_);
    }
  }

 private:
  struct Waiting {
    lsm::WriteBatch batch;
    Answer answer;
  };

  void WriteGroup() {
    std::vector<Answer> answers;
    const lsm::WriteBatch group = TakeGroup(&answers);
    const absl::Status status = db_.Write({.sync = sync_}, group);
    for (Answer& answer : answers) answer(status);

    MutexLock lock(mutex_);
    if (waiting_.empty()) {
      running_ = false;
      idle_.NotifyAll();
    } else {
      executor_.Post([this] { WriteGroup(); });
    }
  }

  lsm::WriteBatch TakeGroup(std::vector<Answer>* answers) {
    MutexLock lock(mutex_);
    lsm::WriteBatch group = std::move(waiting_.front().batch);
    waiting_bytes_ -= group.size_bytes();
    answers->push_back(std::move(waiting_.front().answer));
    waiting_.pop_front();
    while (!waiting_.empty() &&
           group.size_bytes() + waiting_.front().batch.size_bytes() <= kGroupBytes) {
      waiting_bytes_ -= waiting_.front().batch.size_bytes();
      group.Append(waiting_.front().batch);
      answers->push_back(std::move(waiting_.front().answer));
      waiting_.pop_front();
    }
    return group;
  }

  lsm::DB& db_;
  Executor& executor_;
  const bool sync_;
  const uint64_t waiting_bytes_max_;

  Mutex mutex_;
  CondVar idle_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  uint64_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;  // WriteGroup() is posted or runs
};

absl::StatusOr<std::unique_ptr<StandaloneStorage>> StandaloneStorage::Open(
    const StandaloneStorageOptions& options, const std::string& path) {
  lsm::Options engine = options.engine;
  engine.column_families.assign(kColumnFamilyNames.begin(), kColumnFamilyNames.end());
  TKV_ASSIGN_OR_RETURN(auto db, lsm::DB::Open(engine, path));
  return std::unique_ptr<StandaloneStorage>(new StandaloneStorage(options, std::move(db)));
}

StandaloneStorage::StandaloneStorage(const StandaloneStorageOptions& options,
                                     std::unique_ptr<lsm::DB> db)
    : sync_writes_(options.sync_writes),
      db_(std::move(db)),
      writer_(std::make_unique<WriteActor>(*db_, options)) {}

StandaloneStorage::~StandaloneStorage() { Close().IgnoreError(); }

absl::Status StandaloneStorage::Close() {
  writer_->Drain();
  return db_->Close();
}

asio::awaitable<absl::Status> StandaloneStorage::Write(const kvrpcpb::Context&, WriteSet writes) {
  TKV_CO_RETURN_IF_ERROR(CheckKeySizes(writes));
  // >>> SOLUTION 1-storage-write: the whole set becomes one batch of the engine; then Commit() it
  lsm::WriteBatch batch;
  for (const Modify& modify : writes.modifies()) {
    switch (modify.type) {
      case Modify::Type::kPut:
        batch.Put(EngineId(modify.column_family), modify.key, modify.value);
        break;
      case Modify::Type::kDelete:
        batch.Delete(EngineId(modify.column_family), modify.key);
        break;
    }
  }
  co_return co_await Commit(std::move(batch));
  // <<< SOLUTION
}

asio::awaitable<absl::Status> StandaloneStorage::Commit(lsm::WriteBatch batch) {
  if (batch.size_bytes() > lsm::kBatchBytesMax) {
    co_return InvalidArgument("the write set has ", batch.size_bytes(),
                              " bytes; the engine's limit is ", lsm::kBatchBytesMax);
  }
  if (!sync_writes_) {
    absl::Status status = db_->Write({.sync = false, .no_wait = true}, batch);
    if (!absl::IsUnavailable(status)) co_return status;
    // The engine is behind with its flushes: the actor waits for it, this thread does not.
  }
  co_return co_await AwaitCallback<absl::Status>(
      [&](WriteActor::Answer answer) { writer_->Write(std::move(batch), std::move(answer)); });
}

asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> StandaloneStorage::Reader(
    const kvrpcpb::Context&) {
  co_return std::make_unique<SnapshotReader>(*db_, db_->NewSnapshot());
}

}  // namespace tinykv
